import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";

import { packNames, unpackNames } from "./names";
import { useUrlState } from "./urlState";

const DEFAULTS = { id: "", names: "", page: "1" };

const opened = () => renderHook(() => useUrlState(DEFAULTS)).result;

beforeEach(() => {
  history.replaceState(null, "", "/ui/item");
});
afterEach(cleanup);

test.each(["%2F", "a%2Fb", "a%2Cb", "50% off", "a+b c", "?q=1&x=2#f", "é😀", "%", "a/b\\c"])(
  "%s is in the address what it is",
  (id) => {
    const page = opened();
    act(() => {
      page.current[1]({ id });
    });
    expect(page.current[0].id).toBe(id);
    expect(opened().current[0].id).toBe(id);
  },
);

test("names with commas and percent signs stay whole", () => {
  const names = ["Smith, Sons", "100%", "a%2Cb"];
  const page = opened();
  act(() => {
    page.current[1]({ names: packNames(names) });
  });
  expect(unpackNames(page.current[0].names)).toEqual(names);
});

test("two changes at once are both in the address, and what is as usual is not", () => {
  const page = opened();
  act(() => {
    page.current[1]({ id: "a", page: "2" });
    page.current[1]({ page: "1", names: "b" });
  });
  expect(location.search).toBe("?id=a&names=b");
});
