import type { RefObject } from "react";

import { Card } from "@/components/Card";
import { Choices } from "@/components/Choices";
import { TextField } from "@/components/Field";
import { t } from "@/strings/en";

import { ActionPart } from "./ActionPart";
import type { FieldErrors } from "./faults";
import { FurtherPart } from "./FurtherPart";
import { ItemConditions } from "./ItemConditions";
import { sideOfItems, sideOfItemsText, sideOfUsers, sideOfUsersText, type Draft } from "./rule";
import { SidePart } from "./SidePart";
import { UserConditions } from "./UserConditions";

const words = t.rules.editor;

/** How both expressions are written: clicked together, or as text. */
export type Way = "form" | "text";

interface Props {
  draft: Draft;
  suggested: string;
  named: boolean;
  errors: FieldErrors;
  change: (change: Partial<Draft>) => void;
  way: Way;
  onWay: (way: Way) => void;
  further: boolean;
  onFurther: (open: boolean) => void;
  nameField: RefObject<HTMLInputElement | null>;
}

/** All that a rule says: what it does, on which items, for whom, and the rest. */
export function RuleParts(props: Props) {
  const { draft, suggested, named, errors, change, further, onFurther, nameField } = props;
  return (
    <div className="min-w-0 space-y-4">
      <Card title={words.what}>
        <ActionPart draft={draft} errors={errors} onChange={change} />
      </Card>
      <ItemsCard {...props} />
      <UsersCard {...props} />
      <details
        open={further || FURTHER.some((field) => errors[field])}
        onToggle={(event) => {
          onFurther(event.currentTarget.open);
        }}
        className="rounded-xl border border-line bg-surface p-5"
      >
        <summary className="text-base font-semibold">{words.further}</summary>
        <FurtherPart
          draft={draft}
          suggested={suggested}
          named={named}
          errors={errors}
          nameField={nameField}
          onChange={change}
        />
      </details>
    </div>
  );
}

const FURTHER = ["id", "priority", "valid_from", "valid_to", "note"];

function ItemsCard({ draft, errors, change, way, onWay }: Props) {
  const ways = [
    { value: "form", label: words.ways.form },
    { value: "text", label: words.ways.text },
  ] as const;
  return (
    <Card
      title={words.items}
      action={<Choices label={words.way} bare value={way} options={ways} onChange={onWay} />}
    >
      <SidePart
        side={draft.where}
        asText={way === "text"}
        label={words.where}
        hint={words.whereHint}
        error={errors["where"]}
        onText={(text) => {
          change({ where: sideOfItemsText(text) });
        }}
        form={(conditions) => (
          <ItemConditions
            conditions={conditions}
            onChange={(changed) => {
              change({ where: sideOfItems(changed) });
            }}
          />
        )}
      />
    </Card>
  );
}

function UsersCard({ draft, errors, change, way }: Props) {
  return (
    <Card title={words.users}>
      <div className="space-y-4">
        <SidePart
          side={draft.when}
          asText={way === "text"}
          label={words.when}
          hint={words.whenHint}
          error={errors["when"]}
          onText={(text) => {
            change({ when: sideOfUsersText(text) });
          }}
          form={(conditions) => (
            <UserConditions
              conditions={conditions}
              onChange={(changed) => {
                change({ when: sideOfUsers(changed) });
              }}
            />
          )}
        />
        <TextField
          label={words.scenario}
          hint={words.scenarioHint}
          error={errors["scenario"]}
          maxLength={100}
          autoComplete="off"
          value={draft.scenario}
          onChange={(event) => {
            change({ scenario: event.target.value });
          }}
        />
      </div>
    </Card>
  );
}
