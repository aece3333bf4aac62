import { useSyncExternalStore } from "react";

let message = "";
const listeners = new Set<() => void>();

/** Tell people who cannot see the page what has happened; the last message stands. */
export function announce(text: string): void {
  // The same text again is told again: a trailing space makes it another one.
  message = text === message ? `${text} ` : text;
  listeners.forEach((listener) => {
    listener();
  });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Announcer() {
  const text = useSyncExternalStore(subscribe, () => message);
  return (
    <div role="status" aria-live="polite" className="sr-only">
      {text}
    </div>
  );
}
