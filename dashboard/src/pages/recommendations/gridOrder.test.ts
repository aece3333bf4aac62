import { expect, test } from "vitest";

import { cardOrder, panelOrder } from "./gridOrder";

/** What a grid shows: cards as numbers, the panel of card 1 as "p". */
function shown(cards: number, columns: number): string {
  const places = Array.from({ length: cards }, (_, index) => ({ name: String(index), at: cardOrder(index) }));
  places.push({ name: "p", at: panelOrder(1, columns) });
  return places
    .sort((one, other) => one.at - other.at)
    .map(({ name }) => name)
    .join("");
}

test.each([
  [1, "01p2345"],
  [2, "01p2345"],
  [3, "012p345"],
])("with %i columns a panel stands below the row of its card", (columns, expected) => {
  expect(shown(6, columns)).toBe(expected);
});

test("also below a row that is not full", () => {
  expect(shown(2, 3)).toBe("01p");
});
