import { useState } from "react";

import { EmptyState } from "@/components/EmptyState";
import { ItemField } from "@/components/ItemField";
import { Window } from "@/components/Window";
import type { ListRequest } from "@/lib/listRequest";
import { t } from "@/strings/en";

import { WhyNot } from "./parts/WhyNot";
import { useCloseOnMove } from "./useCloseOnMove";

interface Props {
  open: boolean;
  onClose: () => void;
  request: ListRequest;
}

/** Pick any item, and see how far it came on its way to the list. */
export function WhyNotWindow({ open, onClose, request }: Props) {
  const [item, setItem] = useState<{ id: string; title: string } | null>(null);
  useCloseOnMove(onClose);
  const words = t.why.whyNot;
  return (
    <Window open={open} onClose={onClose} title={words.title} lead={words.lead} wide>
      <div className="min-h-96 space-y-6">
        <div className="max-w-lg">
          <ItemField
            label={words.field}
            placeholder={words.placeholder}
            value={item?.title ?? ""}
            onChoose={({ item_id: id, title }) => {
              setItem({ id, title: title ?? id });
            }}
            onSubmit={(typed) => {
              const id = typed.trim();
              setItem(id ? { id, title: id } : null);
            }}
          />
          <p className="mt-1 text-xs text-muted">{words.hint}</p>
        </div>
        {item ? (
          <WhyNot request={request} itemId={item.id} title={item.title} />
        ) : (
          <EmptyState title={words.empty}>{words.emptyText}</EmptyState>
        )}
      </div>
    </Window>
  );
}
