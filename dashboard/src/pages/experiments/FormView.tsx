import { ArrowLeft } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";

import { ApiError } from "@/api/client";
import { announce } from "@/components/Announcer";
import { EmptyState } from "@/components/EmptyState";
import { PageHeading } from "@/components/PageHeading";
import { QueryView } from "@/components/QueryView";
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
              <Form key={row.change} read={row} setView={setView} />
            ) : (
              <EmptyState title={t.experiments.missing(view.edit)} />
            );
          }}
        </QueryView>
      ) : (
        <Form read={null} setView={setView} />
      )}
    </>
  );
}

function Form({ read, setView }: { read: ExperimentRow | null; setView: Props["setView"] }) {
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
      saving={save.isPending}
      onChange={(change) => {
        setDraft((before) => ({ ...before, ...change }));
      }}
      onSave={() => {
        save.mutate(
          { key: draft.key.trim(), terms: termsFrom(draft), read },
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
