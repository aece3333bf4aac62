import { Waypoints } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/Button";
import { Window } from "@/components/Window";
import type { ListRequest } from "@/lib/listRequest";
import { t } from "@/strings/en";

import { FullExplanation } from "./FullExplanation";
import { useCloseOnMove } from "./useCloseOnMove";

interface Props {
  request: ListRequest;
  itemId: string;
  title: string | null;
}

/** Opens a window that tells why an item is in a list, where there is no room for a panel. */
export function WhyButton({ request, itemId, title }: Props) {
  const [open, setOpen] = useState(false);
  const close = () => {
    setOpen(false);
  };
  useCloseOnMove(close);
  const name = title ?? t.item.noTitle;
  const whose = request.user_id === undefined ? t.why.ofSession : t.why.ofUser(request.user_id);
  return (
    <>
      <Button
        size="small"
        aria-label={t.why.openOf(name)}
        onClick={() => {
          setOpen(true);
        }}
      >
        <Waypoints aria-hidden="true" className="size-3.5" />
        {t.why.open}
      </Button>
      <Window open={open} onClose={close} title={t.why.title} lead={`${name} · ${whose}`} wide>
        <FullExplanation request={request} itemId={itemId} />
      </Window>
    </>
  );
}
