import { expect, test } from "vitest";

import { lastPage } from "./listPages";
import { LIST_DEFAULTS, listRequest } from "./listRequest";

test("nobody is chosen, nothing is asked", () => {
  expect(listRequest(LIST_DEFAULTS)).toBeNull();
});

test("a user's list, as the address has it by default", () => {
  expect(listRequest({ ...LIST_DEFAULTS, user: "u 1" })).toEqual({
    user_id: "u 1",
    model: "full",
    k: 24,
    offset: 0,
    exclude_seen: true,
  });
});

test("a session keeps its order, and everything that is wanted is asked for", () => {
  const state = {
    ...LIST_DEFAULTS,
    session: "b,a",
    model: "transitions",
    k: "12",
    page: "3",
    seen: "purchases",
    brand: "Salt%2C pepper,Arganics",
    category: "Hair",
    min: "0",
    max: "12.5",
    as_of: "2024-05-01T12:00:00.000Z",
    scenario: "home",
  };
  expect(listRequest(state)).toEqual({
    history: ["b", "a"],
    model: "transitions",
    k: 12,
    offset: 24,
    exclude_seen: "purchases",
    brand: ["Salt, pepper", "Arganics"],
    category: ["Hair"],
    min_price: 0,
    max_price: 12.5,
    as_of: "2024-05-01T12:00:00.000Z",
    scenario: "home",
  });
});

test("a user goes before a session", () => {
  const request = listRequest({ ...LIST_DEFAULTS, user: "u", session: "a" });
  expect(request?.user_id).toBe("u");
  expect(request).not.toHaveProperty("history");
});

test("numbers that cannot be are left to the defaults", () => {
  const state = {
    ...LIST_DEFAULTS,
    user: "u",
    k: "many",
    page: "-2",
    min: "cheap",
    max: "-1",
    seen: "false",
  };
  expect(listRequest(state)).toEqual({
    user_id: "u",
    model: "full",
    k: 24,
    offset: 0,
    exclude_seen: false,
  });
});

test("nothing is asked for that the server would refuse", () => {
  const request = listRequest({ ...LIST_DEFAULTS, user: "u", k: "500", page: "99" });
  expect(request).toMatchObject({ k: 100, offset: 900 });
});

test("pages are whole: the last one begins where another full page fits", () => {
  expect(listRequest({ ...LIST_DEFAULTS, user: "u", k: "48", page: "99" })).toMatchObject({ offset: 864 });
  expect(lastPage(48)).toBe(19);
});
