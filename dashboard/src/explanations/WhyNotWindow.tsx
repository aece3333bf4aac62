import { useState } from "react";

import { Autocomplete } from "@/components/Autocomplete";
import { EmptyState } from "@/components/EmptyState";
import { Window } from "@/components/Window";
import type { ListRequest } from "@/lib/listRequest";
import { t } from "@/strings/en";

import { WhyNot } from "./parts/WhyNot";
import { suggestItems } from "./queries";
import { useCloseOnMove } from "./useCloseOnMove";

interface Props {
  open: boolean;
  onClose: () => void;
  request: ListRequest;
}

/** Pick any item, and see how far it came on its way to the list. */
export function WhyNotWindow({ open, onClose, request }: Props) {
  const [itemId, setItemId] = useState<string | null>(null);
  const [title, setTitle] = useState("");
  useCloseOnMove(onClose);
  return (
    <Window open={open} onClose={onClose} title={t.why.whyNot.title} lead={t.why.whyNot.lead} wide>
      <div className="max-w-lg">
        <Autocomplete
          label={t.why.whyNot.field}
          placeholder={t.why.whyNot.placeholder}
          name="items"
          value={title}
          suggest={suggestItems}
          textOf={(item) => item.title ?? item.item_id}
          show={(item) => (
            <>
              {item.title ?? item.item_id}{" "}
              <span className="block text-xs text-muted">{item.brand ?? t.item.noBrand}</span>
            </>
          )}
          onChoose={(item) => {
            setItemId(item.item_id);
            setTitle(item.title ?? item.item_id);
          }}
          onSubmit={(typed) => {
            setItemId(typed.trim() || null);
          }}
        />
        <p className="mt-1 text-xs text-muted">{t.why.whyNot.hint}</p>
      </div>
      <div className="mt-6">
        {itemId === null ? (
          <EmptyState title={t.why.whyNot.empty}>{t.why.whyNot.emptyText}</EmptyState>
        ) : (
          <WhyNot request={request} itemId={itemId} />
        )}
      </div>
    </Window>
  );
}
