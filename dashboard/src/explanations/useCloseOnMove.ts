import { useEffect, useRef } from "react";
import { useLocation, useSearch } from "wouter";

/** Closes a window when a link in it has led to another page, also where that is another item on the same page. */
export function useCloseOnMove(close: () => void): void {
  const [path] = useLocation();
  const here = `${path}?${useSearch()}`;
  const opened = useRef(here);
  useEffect(() => {
    if (opened.current === here) return;
    opened.current = here;
    close();
  }, [here, close]);
}
