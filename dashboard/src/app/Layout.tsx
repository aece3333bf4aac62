import { KeyRound } from "lucide-react";
import { useState, type ReactNode } from "react";
import { Link, useLocation } from "wouter";

import { useApiKey } from "@/api/apiKey";
import { ApiError, type Schema } from "@/api/client";
import { buttonLook, Button } from "@/components/Button";
import { KeyField } from "@/components/KeyField";
import { Notice } from "@/components/Notice";
import { Window } from "@/components/Window";
import { t } from "@/strings/en";

import { pages } from "./pages";
import { THEMES, useTheme } from "./theme";
import { useServer } from "./useServer";

/** What is around every page: navigation, key, theme, and how the server is doing. */
export function Layout({ children }: { children: ReactNode }) {
  const ready = useServer();
  return (
    <div className="mx-auto flex min-h-screen max-w-[90rem] flex-col lg:flex-row">
      <a
        href="#content"
        className={`${buttonLook("primary")} sr-only focus:not-sr-only focus:absolute focus:z-50 focus:m-2`}
      >
        {t.app.skip}
      </a>
      <Side bundle={ready.data?.bundle} />
      <main id="content" tabIndex={-1} className="min-w-0 flex-1 px-4 py-6 outline-none sm:px-8">
        <ServerNotices ready={ready.data} error={ready.error} />
        {children}
      </main>
    </div>
  );
}

function Side({ bundle }: { bundle: Schema<"BundleInfo"> | undefined }) {
  return (
    <header className="border-b border-line bg-surface px-4 py-3 lg:sticky lg:top-0 lg:flex lg:h-screen lg:w-60 lg:shrink-0 lg:flex-col lg:border-r lg:border-b-0 lg:px-4 lg:py-6">
      <div className="flex items-center justify-between gap-3 lg:block">
        <p className="flex shrink-0 items-center gap-2 font-semibold">
          <img src="/ui/favicon.svg" alt="" className="size-7" />
          {t.app.name}
        </p>
        {bundle && (
          <p className="min-w-0 truncate text-xs text-muted lg:mt-1">
            {bundle.name}
            {bundle.synthetic && ` · ${t.app.synthetic}`}
          </p>
        )}
      </div>
      <Navigation />
      <Tools />
    </header>
  );
}

function Navigation() {
  const [path] = useLocation();
  const here = path === "/user" || path === "/item" ? `${path}s` : path;
  return (
    <nav aria-label={t.app.navigation} className="mt-3 lg:mt-6">
      <ul className="flex flex-wrap gap-1 lg:flex-col">
        {pages.map(({ path: to, label, icon: Icon }) =>
          label && Icon ? (
            <li key={to}>
              <Link
                href={to}
                aria-current={here === to ? "page" : undefined}
                className={
                  "flex min-h-8 items-center gap-2 rounded-lg px-2.5 py-1 text-sm hover:bg-sunken " +
                  (here === to ? "bg-accent-soft font-semibold" : "")
                }
              >
                <Icon aria-hidden="true" className="size-4 shrink-0" />
                {label}
              </Link>
            </li>
          ) : null,
        )}
      </ul>
    </nav>
  );
}

function Tools() {
  const key = useApiKey();
  const [theme, setTheme] = useTheme();
  const [keyShown, setKeyShown] = useState(false);
  return (
    <div className="mt-3 flex flex-wrap items-center gap-2 lg:mt-auto lg:flex-col lg:items-stretch">
      <Button
        size="small"
        onClick={() => {
          setKeyShown(true);
        }}
      >
        <KeyRound aria-hidden="true" className="size-3.5" />
        {t.key.button}
        {key && ` · ${t.key.set}`}
      </Button>
      <select
        aria-label={t.theme.label}
        value={theme}
        onChange={(event) => {
          setTheme(THEMES.find((name) => name === event.target.value) ?? "system");
        }}
        className="min-h-7 rounded-lg border border-line-strong bg-surface px-2 text-xs"
      >
        {THEMES.map((name) => (
          <option key={name} value={name}>
            {t.theme.names[name]}
          </option>
        ))}
      </select>
      <a href="/docs" className="px-2 py-1 text-xs text-accent underline-offset-2 hover:underline">
        {t.app.docs}
      </a>
      <Window
        open={keyShown}
        onClose={() => {
          setKeyShown(false);
        }}
        title={t.key.title}
      >
        <KeyField
          onSaved={() => {
            setKeyShown(false);
          }}
        />
      </Window>
    </div>
  );
}

const PARTS = ["rules", "live_items", "persons"] as const;

function ServerNotices({
  ready,
  error,
}: {
  ready: Schema<"ReadyResponse"> | undefined;
  error: Error | null;
}) {
  const notices: string[] = [];
  if (error instanceof ApiError && error.status === 0) notices.push(t.states.offline);
  else if (error instanceof ApiError && error.status === 503) notices.push(t.states.notReady(error.message));
  else if (error) notices.push(error.message);
  else if (ready?.store === "unavailable") notices.push(t.states.storeDown);
  if (!error && ready) {
    for (const part of PARTS) {
      if (ready[part] === "stale") notices.push(t.states.stalePart(t.states.parts[part]));
    }
  }
  if (notices.length === 0) return null;
  return (
    <div className="mb-6 space-y-2" data-state="server-notice">
      {notices.map((text) => (
        <Notice key={text} tone="warn">
          {text}
        </Notice>
      ))}
    </div>
  );
}
