import { expect, test } from "vitest";

import { compareLists, countChanges } from "./compareLists";

const itself = (id: string) => id;

test("rows that moved, came and went are told apart", () => {
  const compared = compareLists(["a", "b", "c", "d"], ["b", "a", "e", "d"], itself);
  expect(compared.rows).toEqual([
    { row: "b", rank: 1, rankBefore: 2, change: "up" },
    { row: "a", rank: 2, rankBefore: 1, change: "down" },
    { row: "e", rank: 3, rankBefore: null, change: "new" },
    { row: "d", rank: 4, rankBefore: 4, change: "same" },
  ]);
  expect(compared.gone).toEqual(["c"]);
  expect(countChanges(compared)).toEqual({ moved: 2, added: 1, gone: 1 });
});

test("of a list that stayed nothing changed", () => {
  expect(countChanges(compareLists(["a", "b"], ["a", "b"], itself))).toEqual({ moved: 0, added: 0, gone: 0 });
});
