/**
 * Places in a grid of cards, some of which have a panel open that is as wide as the grid.
 *
 * A panel stands below the row of its card, so that the row stays whole, and the card where it was. Cards and panels
 * are ordered by numbers: even ones for cards, and for panels the odd one behind the last card of the row.
 */
export function cardOrder(index: number): number {
  return 2 * index;
}

export function panelOrder(index: number, columns: number): number {
  const lastOfRow = Math.floor(index / columns) * columns + columns - 1;
  return cardOrder(lastOfRow) + 1;
}
