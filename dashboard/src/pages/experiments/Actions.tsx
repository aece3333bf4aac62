import { useState } from "react";
import { Link } from "wouter";

import { announce } from "@/components/Announcer";
import { Button, buttonLook } from "@/components/Button";
import { Failure } from "@/components/Failure";
import { Window } from "@/components/Window";
import { t } from "@/strings/en";

import { useDeleteExperiment, useStartExperiment, useStopExperiment, type ExperimentRow } from "./queries";

const words = t.experiments.actions;
type Action = "start" | "stop" | "remove";

interface Props {
  row: ExperimentRow;
  onGone: () => void;
}

/** What can be done with an experiment as it stands; each is asked about once more. */
export function Actions({ row, onGone }: Props) {
  const [asked, setAsked] = useState<Action | null>(null);
  const changes = { start: useStartExperiment(), stop: useStopExperiment(), remove: useDeleteExperiment() };
  const possible: Action[] = row.status === "running" ? ["stop"] : ["start", "remove"];
  const change = asked && changes[asked];
  return (
    <div className="flex flex-wrap gap-2">
      <Link href={`/experiments?edit=${encodeURIComponent(row.key)}`} className={buttonLook()}>
        {words.edit}
      </Link>
      {possible.map((action) => (
        <Button
          key={action}
          look={action === "start" ? "primary" : action === "remove" ? "danger" : "plain"}
          disabled={action === "start" && row.status === "fault"}
          onClick={() => {
            changes[action].reset();
            setAsked(action);
          }}
        >
          {words[action].button}
        </Button>
      ))}
      <Window
        open={asked !== null}
        onClose={() => {
          setAsked(null);
        }}
        title={asked ? words[asked].title(row.key) : ""}
        lead={asked ? words[asked].lead : ""}
      >
        <div className="flex flex-wrap gap-2">
          <Button
            look={asked === "remove" ? "danger" : "primary"}
            disabled={change?.isPending ?? false}
            onClick={() => {
              if (!asked) return;
              changes[asked].mutate(row, {
                onSuccess: () => {
                  setAsked(null);
                  announce(words[asked].done(row.key));
                  if (asked === "remove") onGone();
                },
              });
            }}
          >
            {asked && words[asked].button}
          </Button>
          <Button
            onClick={() => {
              setAsked(null);
            }}
          >
            {words.cancel}
          </Button>
        </div>
        {change?.error && (
          <div className="mt-4">
            <Failure error={change.error} />
          </div>
        )}
      </Window>
    </div>
  );
}
