import { Waypoints } from "lucide-react";
import { useState } from "react";

import type { Schema } from "@/api/client";
import { Button } from "@/components/Button";
import { QueryView } from "@/components/QueryView";
import { SkeletonLines } from "@/components/Skeleton";
import { Window } from "@/components/Window";
import type { ListRequest } from "@/lib/listRequest";
import { t } from "@/strings/en";

import { FullExplanation } from "./FullExplanation";
import { CheapWhy } from "./parts/CheapWhy";
import { useExplanation } from "./queries";
import { useCloseOnMove } from "./useCloseOnMove";

type Props = { request: ListRequest } & (
  { item: Schema<"RecommendedItem"> } | { itemId: string; title: string | null }
);

/** Why an item is in a list: in a sentence, and everything behind it in a window. */
export function WhyPanel(props: Props) {
  const { request } = props;
  const itemId = "item" in props ? props.item.item_id : props.itemId;
  const title = ("item" in props ? props.item.title : props.title) ?? t.item.noTitle;
  return (
    <div className="space-y-2 text-sm" data-part="why">
      {"item" in props && props.item.why ? (
        <CheapWhy why={props.item.why} />
      ) : (
        <AskedWhy request={request} itemId={itemId} />
      )}
      <WhyButton request={request} itemId={itemId} title={title} />
    </div>
  );
}

/** The button that opens the window alone. */
export function WhyButton({
  request,
  itemId,
  title,
}: {
  request: ListRequest;
  itemId: string;
  title: string;
}) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button
        size="small"
        aria-label={t.why.openOf(title)}
        onClick={() => {
          setOpen(true);
        }}
      >
        <Waypoints aria-hidden="true" className="size-3.5" />
        {t.why.open}
      </Button>
      <WhyWindow
        open={open}
        onClose={() => {
          setOpen(false);
        }}
        request={request}
        itemId={itemId}
        title={title}
      />
    </>
  );
}

function WhyWindow(props: {
  open: boolean;
  onClose: () => void;
  request: ListRequest;
  itemId: string;
  title: string;
}) {
  const { open, onClose, request, itemId, title } = props;
  useCloseOnMove(onClose);
  const whose = request.user_id === undefined ? t.why.ofSession : t.why.ofUser(request.user_id);
  return (
    <Window open={open} onClose={onClose} title={t.why.title} lead={`${title} · ${whose}`} wide>
      <FullExplanation request={request} itemId={itemId} />
    </Window>
  );
}

function AskedWhy({ request, itemId }: { request: ListRequest; itemId: string }) {
  const query = useExplanation(request, itemId, "cheap");
  return (
    <QueryView query={query} skeleton={<SkeletonLines lines={2} />}>
      {(answer) => <p lang={answer.language}>{answer.text}</p>}
    </QueryView>
  );
}
