/** Users that were looked at in this tab, the latest first. */

import { useSyncExternalStore } from "react";

const NAME = "recent-users";
const KEPT = 6;

const listeners = new Set<() => void>();
let users: readonly string[] = read();

function read(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(NAME) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id) => typeof id === "string").slice(0, KEPT) : [];
  } catch {
    return [];
  }
}

export function remember(userId: string): void {
  if (users[0] === userId) return;
  users = [userId, ...users.filter((id) => id !== userId)].slice(0, KEPT);
  sessionStorage.setItem(NAME, JSON.stringify(users));
  listeners.forEach((listener) => {
    listener();
  });
}

export function useRecentUsers(): readonly string[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => users,
  );
}
