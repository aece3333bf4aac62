import { expect, test } from "vitest";

import type { Schema } from "@/api/client";

import { stepsOf } from "./stages";

const source = (proposed: boolean): Schema<"SourceOpinionAnswer"> => ({
  source: "transitions",
  score: 1,
  weight: 1,
  rank: 1,
  proposes: 50,
  proposed,
  rest: 0,
});
const states = (stage: Schema<"Stage">, proposed = true) =>
  stepsOf({ stage, sources: [source(proposed)] }).map(({ state }) => state);

test("a listed item passed every step", () => {
  expect(new Set(states("listed"))).toEqual(new Set(["passed"]));
});

test("an item stops at the step that it did not pass", () => {
  expect(states("candidate")).toEqual(["passed", "passed", "stopped", "open", "open", "open"]);
  expect(states("ranked")).toEqual(["passed", "passed", "passed", "passed", "stopped", "open"]);
  expect(states("arranged")).toEqual(["passed", "passed", "passed", "passed", "passed", "stopped"]);
  expect(states("unproposed", false)).toEqual(["stopped", "open", "open", "open", "open", "open"]);
});

test("a forbidden item was proposed only where a source says so", () => {
  expect(states("forbidden").slice(0, 2)).toEqual(["passed", "stopped"]);
  expect(states("forbidden", false).slice(0, 2)).toEqual(["missed", "stopped"]);
});

test("what fills the list up needs no source and no ranker", () => {
  expect(states("filled", false)).toEqual(["skipped", "passed", "skipped", "skipped", "skipped", "passed"]);
});
