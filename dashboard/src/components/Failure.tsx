import { CloudOff, KeyRound, RefreshCw, SearchX, TriangleAlert, type LucideIcon } from "lucide-react";
import { useEffect, useState } from "react";

import { ApiError } from "@/api/client";
import { t } from "@/strings/en";

import { Button } from "./Button";
import { failureText, missingScope } from "./failureText";
import { KeyField } from "./KeyField";

const ICONS: Record<number, LucideIcon> = { 0: CloudOff, 401: KeyRound, 403: KeyRound, 404: SearchX };

interface Props {
  error: Error;
  retry?: () => void;
  retrying?: boolean;
  /** How often it has failed; each failure begins its own wait. */
  failures?: number;
}

/** Why something is not there, and what can be done about it. */
export function Failure({ error, retry, retrying = false, failures = 1 }: Props) {
  const status = error instanceof ApiError ? error.status : -1;
  const { title, detail } = failureText(error);
  const scope = missingScope(error);
  const wait = error instanceof ApiError ? (error.retryAfterS ?? 0) : 0;
  const Icon = ICONS[status] ?? TriangleAlert;
  return (
    <div
      role="alert"
      data-state={`failure-${status}`}
      className="flex flex-col items-center gap-3 rounded-xl border border-line bg-surface px-6 py-10 text-center"
    >
      <Icon aria-hidden="true" className="size-8 text-muted" />
      <p className="font-medium">{title}</p>
      {scope ? <p className="text-sm text-muted">{t.failures.scope(scope)}</p> : null}
      {detail && !scope && <p className="max-w-prose text-sm text-muted">{detail}</p>}
      {(status === 401 || status === 403) && <KeyField />}
      {retry && status !== 401 && status !== 404 && status !== 422 && (
        <Retry key={wait > 0 ? failures : 0} waitS={wait} retry={retry} retrying={retrying} />
      )}
    </div>
  );
}

function Retry({ waitS, retry, retrying }: { waitS: number; retry: () => void; retrying: boolean }) {
  const left = useCountdown(waitS);
  return (
    // Not disabled while it is tried again, which happens by itself, too: that would take the focus away.
    <Button onClick={retry} disabled={left > 0}>
      <RefreshCw aria-hidden="true" className={`size-4 ${retrying ? "animate-spin" : ""}`} />
      {left > 0 ? t.failures.retryIn(left) : t.actions.retry}
    </Button>
  );
}

/** Whole seconds left of a wait that begins when the component does. */
function useCountdown(seconds: number): number {
  const [end] = useState(() => Date.now() + seconds * 1000);
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    const timer = setInterval(() => {
      setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1000)));
    }, 250);
    return () => {
      clearInterval(timer);
    };
  }, [end]);
  return left;
}
