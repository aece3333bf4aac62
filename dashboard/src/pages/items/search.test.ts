import { expect, test } from "vitest";

import { DEFAULTS, filtersSet, listName, ROWS, searchOf, serverSort, tableSort } from "./search";

test("what nobody chose is not asked for", () => {
  expect(searchOf(DEFAULTS)).toEqual({ limit: ROWS });
});

test("a state is asked for as it is", () => {
  const state = {
    ...DEFAULTS,
    query: " oil ",
    brand: "A",
    category: "C",
    min: "0",
    max: "12,5",
    sort: "-price",
  };
  expect(searchOf({ ...state, cursor: "x" })).toEqual({
    limit: ROWS,
    query: "oil",
    brand: "A",
    category: "C",
    min_price: 0,
    max_price: 12.5,
    sort: "-price",
    cursor: "x",
  });
});

test("what an address cannot mean is left out", () => {
  expect(searchOf({ ...DEFAULTS, min: "cheap", max: "-3", sort: "colour" })).toEqual({ limit: ROWS });
});

test("the table and the server tell sorts otherwise", () => {
  for (const sort of ["popularity", "price", "-price", "title", "-title"])
    expect(serverSort(tableSort(sort))).toBe(sort);
  expect(tableSort("popularity")).toEqual({ by: "popularity", descending: true });
  expect(serverSort({ by: "popularity", descending: false })).toBe("popularity");
});

test("pages of one list have one name, whatever the page", () => {
  expect(listName({ ...DEFAULTS, cursor: "x", page: "2" })).toBe(listName(DEFAULTS));
  expect(listName({ ...DEFAULTS, sort: "title" })).not.toBe(listName(DEFAULTS));
});

test("a sort or a page is no filter", () => {
  expect(filtersSet({ ...DEFAULTS, sort: "title", page: "2" })).toBe(false);
  expect(filtersSet({ ...DEFAULTS, min: "3" })).toBe(true);
});
