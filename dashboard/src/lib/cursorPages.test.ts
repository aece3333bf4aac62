import { expect, test } from "vitest";

import { CursorTrail, FIRST_PAGE } from "./cursorPages";

test("one goes forth by the cursors of the answers, and back by those that came before", () => {
  const trail = new CursorTrail();
  const second = trail.next("all", FIRST_PAGE, "b");
  const third = trail.next("all", second, "c");
  expect(third).toEqual({ cursor: "c", page: "3" });
  expect(trail.previous("all", third)).toEqual({ cursor: "b", page: "2" });
  expect(trail.previous("all", second)).toEqual(FIRST_PAGE);
  expect(trail.previous("all", FIRST_PAGE)).toBeNull();
});

test("a page of a shared link, or of another list, has no page before it that is known", () => {
  const trail = new CursorTrail();
  const second = trail.next("all", FIRST_PAGE, "b");
  expect(trail.previous("filtered", second)).toBeNull();
  expect(new CursorTrail().previous("all", second)).toBeNull();
});
