import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";

beforeEach(() => {
  sessionStorage.clear();
  vi.resetModules();
});

async function opened() {
  const { remember, useRecentUsers } = await import("./recentUsers");
  const { result } = renderHook(useRecentUsers);
  const look = (...users: string[]) => {
    act(() => {
      users.forEach(remember);
    });
  };
  return { shown: () => result.current, look };
}

test("the latest is first, each is there once, and six are kept", async () => {
  const { shown, look } = await opened();
  expect(shown()).toEqual([]);
  look("a", "b", "c", "a");
  expect(shown()).toEqual(["a", "c", "b"]);
  look("d", "e", "f", "g");
  expect(shown()).toEqual(["g", "f", "e", "d", "a", "c"]);
});

test("they outlive the page, in this tab", async () => {
  const { look } = await opened();
  look("a", "b");
  vi.resetModules();
  const { shown } = await opened();
  expect(shown()).toEqual(["b", "a"]);
});

test.each(["no JSON", '{"a": 1}', '[1, null, "u"]'])(
  "what is no list of users counts as none: %s",
  async (kept) => {
    sessionStorage.setItem("recent-users", kept);
    const { shown } = await opened();
    expect(shown()).toEqual(kept.includes('"u"') ? ["u"] : []);
  },
);
