import { expect, test } from "vitest";

import type { Schema } from "@/api/client";

import { againstFirst, byPart } from "./sorting";

function opinion(
  source: string,
  score: number,
  weight: number,
  rank: number | null,
): Schema<"SourceOpinionAnswer"> {
  return { source, score, weight, rank, proposes: 50, proposed: true, rest: 0 };
}

test("sources stand by score times weight, then by rank", () => {
  const sources = [
    opinion("unranked", 0, 0, null),
    opinion("second", 5, 0, 9),
    opinion("first", 50, 0, 2),
    opinion("small", 6, 0.1, 1),
    opinion("large", -1, 2, 3),
  ];
  const { scores, silent } = byPart(sources);
  expect(scores.map(({ source }) => source)).toEqual(["large", "small", "first", "second"]);
  expect(silent).toEqual(["unranked"]);
});

test("what speaks against an item, the strongest first", () => {
  const parts = [{ value: -1 }, { value: 2 }, { value: -3 }, { value: 0 }];
  expect(againstFirst(parts)).toEqual([{ value: -3 }, { value: -1 }]);
});
