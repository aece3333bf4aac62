import { useState } from "react";
import { Link } from "wouter";

import { announce } from "@/components/Announcer";
import { Badge } from "@/components/Badge";
import { Button, buttonLook } from "@/components/Button";
import { Failure } from "@/components/Failure";
import { Switch } from "@/components/Switch";
import { Window } from "@/components/Window";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { useDeleteRule, useSaveRule } from "./queries";
import type { RuleRow, RuleTerms } from "./rule";
import { sentenceOf } from "./sentence";

const words = t.rules;
const TONES = {
  active: "good",
  disabled: "plain",
  expired: "plain",
  not_yet: "accent",
  fault: "bad",
} as const;

/** A rule of the list. */
export function RuleCard({ row, onHistory }: { row: RuleRow; onHistory: () => void }) {
  const save = useSaveRule();
  const enabled = row.terms["enabled"] !== false;
  const note = typeof row.terms["note"] === "string" ? row.terms["note"] : "";
  const turn = (on: boolean) => {
    save.mutate(
      { id: row.id, terms: { ...row.terms, enabled: on } as RuleTerms, version: row.version },
      {
        onSuccess: () => {
          announce(on ? words.switchedOn(row.id) : words.switchedOff(row.id));
        },
      },
    );
  };
  return (
    <li className="rounded-xl border border-line bg-surface p-4">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 flex-1 basis-72 space-y-1">
          <h2 className="font-medium wrap-anywhere">{sentenceOf(row.terms)}</h2>
          <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted">
            <Badge tone={TONES[row.state]}>{words.states[row.state]}</Badge>
            <span className="font-mono wrap-anywhere">{row.id}</span>
            <span>{words.origins[row.origin]}</span>
            <span>{words.priority(format.count(Number(row.terms["priority"] ?? 0)))}</span>
            <span>
              {row.updated_at
                ? words.changed(format.time(row.updated_at), row.updated_by)
                : words.neverChanged}
            </span>
          </p>
          {row.fault && <p className="text-sm text-bad">{row.fault}</p>}
          <Times terms={row.terms} />
          {note && <p className="text-sm text-muted">{note}</p>}
        </div>
        <div className="flex flex-wrap items-center gap-2">
          <Switch
            label={words.switchOf(row.id)}
            bare
            on={enabled}
            disabled={save.isPending}
            onChange={turn}
          />
          <Link
            href={`/rules?rule=${encodeURIComponent(row.id)}`}
            aria-label={words.editOf(row.id)}
            className={buttonLook("plain", "small")}
          >
            {words.edit}
          </Link>
          <Button look="quiet" size="small" aria-label={words.historyOf(row.id)} onClick={onHistory}>
            {words.history}
          </Button>
          {row.origin === "store" && <Delete row={row} />}
        </div>
      </div>
      {save.error && (
        <div className="mt-3">
          <Failure error={save.error} />
        </div>
      )}
    </li>
  );
}

function Times({ terms }: { terms: RuleRow["terms"] }) {
  const { valid_from: from, valid_to: to } = terms as Partial<RuleTerms>;
  if (!from && !to) return null;
  return (
    <p className="text-sm text-muted">
      {[from && words.from(format.time(from)), to && words.until(format.time(to))].filter(Boolean).join(" ")}
    </p>
  );
}

function Delete({ row }: { row: RuleRow }) {
  const [asked, setAsked] = useState(false);
  const remove = useDeleteRule();
  return (
    <>
      <Button
        look="danger"
        size="small"
        aria-label={words.removeOf(row.id)}
        onClick={() => {
          remove.reset();
          setAsked(true);
        }}
      >
        {words.remove}
      </Button>
      <Window
        open={asked}
        onClose={() => {
          setAsked(false);
        }}
        title={words.removeTitle(row.id)}
        lead={words.removeText}
      >
        <p className="mb-4">{sentenceOf(row.terms)}</p>
        <div className="flex flex-wrap gap-2">
          <Button
            look="danger"
            disabled={remove.isPending}
            onClick={() => {
              remove.mutate(
                { id: row.id, version: row.version },
                {
                  onSuccess: () => {
                    setAsked(false);
                    announce(words.removed(row.id));
                  },
                },
              );
            }}
          >
            {words.remove}
          </Button>
          <Button
            onClick={() => {
              setAsked(false);
            }}
          >
            {words.keep}
          </Button>
        </div>
        {remove.error && (
          <div className="mt-4">
            <Failure error={remove.error} />
          </div>
        )}
      </Window>
    </>
  );
}
