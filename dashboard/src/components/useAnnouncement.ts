import { useEffect, useRef } from "react";

import { announce } from "./Announcer";

/** Tells of a text when it becomes another one. What a page shows first is told by the page itself. */
export function useAnnouncement(text: string): void {
  const last = useRef("");
  useEffect(() => {
    if (text === "") return;
    if (last.current !== "" && last.current !== text) announce(text);
    last.current = text;
  }, [text]);
}
