import { ArrowLeft } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";

import { ApiError } from "@/api/client";
import { announce } from "@/components/Announcer";
import { Button } from "@/components/Button";
import { EmptyState } from "@/components/EmptyState";
import { Notice } from "@/components/Notice";
import { PageHeading } from "@/components/PageHeading";
import { QueryView } from "@/components/QueryView";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { complaintsOf, draftOf, NEW, termsFrom, type Draft } from "./draft";
import { FormFields } from "./FormFields";
import { useExperiments, useSaveExperiment, type ExperimentRow } from "./queries";
import type { View } from "./view";

const words = t.experiments.form;

interface Props {
  view: View;
  setView: (change: Partial<View>) => void;
}

/** An experiment that is being written: a new one, or one that there is. */
export function FormView({ view, setView }: Props) {
  const experiments = useExperiments();
  const back = view.edit ? `/experiments?experiment=${encodeURIComponent(view.edit)}` : "/experiments";
  return (
    <>
      <Link
        href={back}
        className="mb-3 inline-flex min-h-6 items-center gap-1 rounded-sm text-sm text-accent"
      >
        <ArrowLeft aria-hidden="true" className="size-4" />
        {t.experiments.back}
      </Link>
      <PageHeading title={view.edit ? words.editTitle(view.edit) : words.newTitle} />
      {view.edit ? (
        <QueryView query={experiments}>
          {({ experiments: rows }) => {
            const row = rows.find(({ key }) => key === view.edit);
            return row ? (
              <Form key={row.key} now={row} setView={setView} />
            ) : (
              <EmptyState title={t.experiments.missing(view.edit)} />
            );
          }}
        </QueryView>
      ) : (
        <Form now={null} setView={setView} />
      )}
    </>
  );
}

interface FormProps {
  /** The experiment as the server has it now; null: there is none yet. */
  now: ExperimentRow | null;
  setView: Props["setView"];
}

/** The form; what was written in it stays where somebody else changes the experiment meanwhile. */
function Form({ now, setView }: FormProps) {
  const [read, setRead] = useState(now);
  const [draft, setDraft] = useState<Draft>(() => (read ? draftOf(read) : NEW));
  const save = useSaveExperiment();
  const refused = save.error instanceof ApiError && save.error.status === 422 ? save.error.detail : "";
  return (
    <FormFields
      draft={draft}
      isNew={read === null}
      isRunning={read?.status === "running"}
      complaints={refused ? complaintsOf(refused) : {}}
      failure={refused ? null : save.error}
      changed={
        now && read && now.change !== read.change ? (
          <ChangedNotice
            now={now}
            onTake={() => {
              save.reset();
              setRead(now);
              setDraft(draftOf(now));
            }}
            onKeep={() => {
              save.reset();
              setRead(now);
            }}
          />
        ) : null
      }
      saving={save.isPending}
      onChange={(change) => {
        setDraft((before) => ({ ...before, ...change }));
      }}
      onSave={() => {
        save.mutate(
          { key: draft.key, terms: termsFrom(draft), read },
          {
            onSuccess: ({ experiment }) => {
              announce(words.saved(experiment.key));
              setView({ new: "", edit: "", experiment: experiment.key });
            },
          },
        );
      }}
    />
  );
}

interface ChangedProps {
  now: ExperimentRow;
  onTake: () => void;
  onKeep: () => void;
}

/** Somebody else was faster: the person chooses what counts. */
function ChangedNotice({ now, onTake, onKeep }: ChangedProps) {
  return (
    <Notice tone="warn">
      <p>{words.changed(now.updated_by, now.updated_at ? format.time(now.updated_at) : "")}</p>
      <div className="mt-2 flex flex-wrap gap-2">
        <Button size="small" onClick={onTake}>
          {words.takeTheirs}
        </Button>
        <Button size="small" look="danger" onClick={onKeep}>
          {words.keepOurs}
        </Button>
      </div>
    </Notice>
  );
}
