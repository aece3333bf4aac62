import { apiKey } from "@/api/apiKey";
import { ApiError } from "@/api/client";
import { t } from "@/strings/en";

/** What an error is called, and what it says itself. */
export function failureText(error: Error): { title: string; detail: string } {
  if (!(error instanceof ApiError)) return { title: t.failures.unexpected, detail: error.message };
  if (error.status === 0)
    return { title: navigator.onLine ? t.failures.unreachable : t.failures.offline, detail: "" };
  if (error.status === 401 && apiKey.get()) return { title: t.failures.wrongKey, detail: error.detail };
  const named: Record<number, string> = t.failures.byStatus;
  return { title: named[error.status] ?? t.failures.other(error.status), detail: error.detail };
}

/** The scope that a key lacks, as the server's 403 names it. */
export function missingScope(error: Error): string | null {
  if (!(error instanceof ApiError) || error.status !== 403) return null;
  return /does not have the scope (\S+)/.exec(error.detail)?.[1] ?? null;
}
