import { SelectField } from "@/components/Field";
import { SearchField } from "@/components/SearchField";
import { WhyNotButton } from "@/explanations/WhyNotButton";
import type { ListRequest } from "@/lib/listRequest";
import { t } from "@/strings/en";

import { ORDERS } from "./listOrder";
import type { Change, State } from "./state";

const text = t.recommendations.list;

interface Props {
  state: State;
  change: Change;
  request: ListRequest;
}

/** How the list is looked at. */
export function ListToolbar({ state, change, request }: Props) {
  return (
    <div className="grid items-end gap-3 sm:grid-cols-[1fr_13rem_auto]">
      <SearchField
        label={text.find}
        placeholder={text.findPlaceholder}
        value={state.find}
        onSearch={(find) => {
          change({ find }, { replace: true });
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
      <WhyNotButton request={request} />
    </div>
  );
}
