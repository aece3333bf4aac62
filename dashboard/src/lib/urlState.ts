import { useCallback } from "react";
import { useSearchParams } from "wouter";

/**
 * State of a page in its address, so that a link shows the same and Back undoes.
 *
 * What is as `defaults` have it is left out of the address. A change makes a new entry of the history, unless it is to
 * replace the one there is (what is typed letter by letter).
 */
export function useUrlState<State extends Record<string, string>>(
  defaults: State,
): [State, (change: Partial<State>, options?: { replace?: boolean }) => void] {
  const [params, setParams] = useSearchParams();
  const state = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof State & string)[]) {
    const given = params.get(name);
    if (given !== null) state[name] = given as State[typeof name];
  }
  const change = useCallback(
    (some: Partial<State>, { replace = false } = {}) => {
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries(some)) {
            if (value === undefined || value === defaults[name]) after.delete(name);
            else after.set(name, value);
          }
          return after;
        },
        { replace },
      );
    },
    [setParams, defaults],
  );
  return [state, change];
}
