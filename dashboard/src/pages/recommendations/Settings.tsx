import { useModels } from "@/api/queries";
import { SelectField } from "@/components/Field";
import { LENGTHS } from "@/lib/listPages";
import { sourceName } from "@/lib/sourceName";
import { t } from "@/strings/en";

import type { Change, State } from "./state";

const text = t.recommendations.settings;

/** Which model makes the list, which one another beside it, and how long they are. */
export function Settings({ state, change }: { state: State; change: Change }) {
  const { data } = useModels();
  const names = data?.models.map(({ name }) => name) ?? [];
  // One that is asked for by the address is offered, too, also before the models are known.
  const options = (chosen: string) =>
    (chosen === "" || names.includes(chosen) ? names : [chosen, ...names]).map((name) => ({
      value: name,
      label: text.modelOf(sourceName(name), name),
    }));
  return (
    <div className="grid min-w-0 grid-cols-2 gap-3 sm:grid-cols-[1fr_1fr_auto]">
      <SelectField
        label={text.model}
        value={state.model}
        options={options(state.model)}
        onChange={(model) => {
          change({ model, page: "1" });
        }}
      />
      <SelectField
        label={text.against}
        value={state.against}
        options={[{ value: "", label: text.noComparison }, ...options(state.against)]}
        onChange={(against) => {
          change({ against });
        }}
      />
      <SelectField
        label={text.length}
        value={state.k}
        options={lengths(state.k)}
        onChange={(k) => {
          change({ k, page: "1" });
        }}
      />
    </div>
  );
}

function lengths(chosen: string) {
  const known = LENGTHS.map(String);
  return (known.includes(chosen) ? known : [chosen, ...known]).map((k) => ({ value: k, label: k }));
}
