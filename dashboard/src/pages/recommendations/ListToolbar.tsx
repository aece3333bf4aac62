import { CircleHelp } from "lucide-react";

import { Button } from "@/components/Button";
import { SelectField, TextField } from "@/components/Field";
import { t } from "@/strings/en";

import { ORDERS } from "./listOrder";
import type { Change, State } from "./state";

const text = t.recommendations.list;

interface Props {
  state: State;
  change: Change;
  onWhyNot: () => void;
}

/** How the list is looked at. */
export function ListToolbar({ state, change, onWhyNot }: Props) {
  return (
    <div className="grid items-end gap-3 sm:grid-cols-[1fr_13rem_auto]">
      <TextField
        label={text.find}
        placeholder={text.findPlaceholder}
        type="search"
        value={state.find}
        onChange={(event) => {
          change({ find: event.target.value }, { replace: true });
        }}
      />
      <SelectField
        label={text.sort}
        value={state.sort}
        options={ORDERS.map((value) => ({ value, label: text.sorts[value] }))}
        onChange={(sort) => {
          change({ sort });
        }}
      />
      <Button onClick={onWhyNot}>
        <CircleHelp aria-hidden="true" className="size-4" />
        {text.whyNot}
      </Button>
    </div>
  );
}
