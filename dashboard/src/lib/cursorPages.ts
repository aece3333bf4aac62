/** Pages that are reached by the cursor which the page before them named. */

import { countOf } from "./typed";

/** What an address says of the page: its cursor, and its number for the text. The first page has neither. */
export interface CursorState {
  cursor: string;
  page: string;
}

export const FIRST_PAGE: CursorState = { cursor: "", page: "1" };

/** An answer names the next cursor alone: cursors that came before are kept as long as the tab lives. */
export class CursorTrail {
  private readonly before = new Map<string, string>();

  /** The page after `state`, whose cursor is `next`, in the list of that name. */
  next(list: string, state: CursorState, next: string): CursorState {
    this.before.set(`${list} ${next}`, state.cursor);
    return { cursor: next, page: String(pageNumber(state) + 1) };
  }

  /** The page before; null where there is none, or nobody came that way (a link that was shared). */
  previous(list: string, state: CursorState): CursorState | null {
    const cursor = state.cursor === "" ? undefined : this.before.get(`${list} ${state.cursor}`);
    if (cursor === undefined) return null;
    return cursor === "" ? FIRST_PAGE : { cursor, page: String(Math.max(1, pageNumber(state) - 1)) };
  }
}

/** From 1. */
export function pageNumber({ page }: CursorState): number {
  return countOf(page);
}

const trail = new CursorTrail();

interface Steps {
  onFirst: (() => void) | null;
  onPrevious: (() => void) | null;
  onNext: (() => void) | null;
}

/** What the pager's buttons do, for the list of that name, which has to tell lists apart that are filtered otherwise. */
export function cursorSteps(
  list: string,
  state: CursorState,
  nextCursor: string | null | undefined,
  go: (to: CursorState) => void,
): Steps {
  const to = (page: CursorState) => () => {
    go(page);
    window.scrollTo(0, 0);
  };
  const previous = trail.previous(list, state);
  return {
    onFirst: state.cursor ? to(FIRST_PAGE) : null,
    onPrevious: previous && to(previous),
    onNext: nextCursor
      ? () => {
          to(trail.next(list, state, nextCursor))();
        }
      : null,
  };
}
