import { useCallback, useMemo } from "react";
import { useLocation } from "wouter";
// The hook of the same name in "wouter" decodes once too often: an id a%2Fb would become a/b.
import { useSearch } from "wouter/use-browser-location";

/**
 * State of a page in its address, so that a link shows the same and Back undoes.
 *
 * What is as `defaults` have it is left out of the address. A change makes a new entry of the history, unless it is to
 * replace the one there is (what is typed letter by letter).
 */
export function useUrlState<State extends Record<string, string>>(
  defaults: State,
): [State, (change: Partial<State>, options?: { replace?: boolean }) => void] {
  const search = useSearch();
  const params = useMemo(() => new URLSearchParams(search), [search]);
  const [path, navigate] = useLocation();
  const state = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof State & string)[]) {
    const given = params.get(name);
    if (given !== null) state[name] = given as State[typeof name];
  }
  const change = useCallback(
    (some: Partial<State>, { replace = false } = {}) => {
      // What the address says now: two changes may come before the page is shown anew.
      const after = new URLSearchParams(location.search);
      for (const [name, value] of Object.entries(some)) {
        if (value === undefined || value === defaults[name]) after.delete(name);
        else after.set(name, value);
      }
      const query = after.toString();
      navigate(query ? `${path}?${query}` : path, { replace });
    },
    [path, navigate, defaults],
  );
  return [state, change];
}
