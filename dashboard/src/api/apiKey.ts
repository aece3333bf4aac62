/** The API key that a person has typed in. It lives as long as the tab, and nowhere else. */

import { useSyncExternalStore } from "react";

const NAME = "api-key";
const listeners = new Set<() => void>();

export const apiKey = {
  get: (): string => sessionStorage.getItem(NAME) ?? "",
  set(key: string): void {
    if (key) sessionStorage.setItem(NAME, key);
    else sessionStorage.removeItem(NAME);
    listeners.forEach((listener) => {
      listener();
    });
  },
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

export function useApiKey(): string {
  return useSyncExternalStore(apiKey.subscribe, apiKey.get);
}
