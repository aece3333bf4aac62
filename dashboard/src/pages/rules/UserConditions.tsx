import { suggestUsers } from "@/api/suggestions";
import { TextField } from "@/components/Field";
import { t } from "@/strings/en";

import { ConditionList, type Beginnings } from "./ConditionList";
import { isName, SEGMENTS, type UserCondition } from "./conditions";
import { NumberField } from "./ItemConditions";
import { NamesField } from "./NamesField";

const words = t.rules;

const BEGINNINGS: Beginnings<UserCondition> = {
  new: { kind: "new" },
  known: { kind: "known" },
  segment: { kind: "segment", names: ["high"] },
  away: { kind: "away", days: "90" },
  users: { kind: "users", names: [] },
  context: { kind: "context", name: "", text: "" },
};

interface Props {
  conditions: UserCondition[];
  onChange: (conditions: UserCondition[]) => void;
}

/** For whom, clicked together. */
export function UserConditions({ conditions, onChange }: Props) {
  return (
    <ConditionList
      label={words.editor.users}
      none={words.editor.everyone}
      kinds={words.userKinds}
      beginnings={BEGINNINGS}
      next={({ length }) => (length === 0 ? "segment" : "context")}
      conditions={conditions}
      onChange={onChange}
      fields={(condition, change) => <UserFields condition={condition} onChange={change} />}
    />
  );
}

interface OneProps {
  condition: UserCondition;
  onChange: (condition: UserCondition) => void;
}

function UserFields({ condition, onChange }: OneProps) {
  const fields = words.conditionFields;
  switch (condition.kind) {
    case "new":
    case "known":
      return null;
    case "segment":
      return (
        <Segments
          names={condition.names}
          onChange={(names) => {
            onChange({ ...condition, names });
          }}
        />
      );
    case "away":
      return (
        <NumberField
          label={fields.days}
          value={condition.days}
          onChange={(days) => {
            onChange({ ...condition, days });
          }}
        />
      );
    case "users":
      return (
        <NamesField
          label={fields.users}
          name="users"
          names={condition.names}
          suggest={suggestUsers}
          nameOf={({ user_id }) => user_id}
          onChange={(names) => {
            onChange({ ...condition, names });
          }}
        />
      );
    case "context":
      return (
        <ContextFields
          name={condition.name}
          text={condition.text}
          onChange={(changed) => {
            onChange({ ...condition, ...changed });
          }}
        />
      );
  }
}

function Segments({ names, onChange }: { names: string[]; onChange: (names: string[]) => void }) {
  return (
    <fieldset>
      <legend className="mb-1 text-xs font-medium text-muted">{words.conditionFields.segment}</legend>
      <div className="flex flex-wrap gap-x-4 gap-y-1">
        {SEGMENTS.map((segment) => (
          <label key={segment} className="flex min-h-7 items-center gap-1.5 text-sm">
            <input
              type="checkbox"
              checked={names.includes(segment)}
              onChange={({ target }) => {
                onChange(SEGMENTS.filter((one) => (one === segment ? target.checked : names.includes(one))));
              }}
              className="size-4 accent-accent"
            />
            {words.segments[segment]}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface ContextProps {
  name: string;
  text: string;
  onChange: (changed: { name?: string; text?: string }) => void;
}

function ContextFields({ name, text, onChange }: ContextProps) {
  const fields = words.conditionFields;
  return (
    <>
      <div className="min-w-0 flex-1 basis-28">
        <TextField
          label={fields.contextName}
          error={name === "" || isName(name) ? undefined : fields.badName}
          spellCheck={false}
          autoComplete="off"
          value={name}
          onChange={(event) => {
            onChange({ name: event.target.value });
          }}
        />
      </div>
      <div className="min-w-0 flex-1 basis-28">
        <TextField
          label={fields.contextValue}
          autoComplete="off"
          value={text}
          onChange={(event) => {
            onChange({ text: event.target.value });
          }}
        />
      </div>
    </>
  );
}
