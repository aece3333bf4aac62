import { useEffect, useRef, type ReactNode } from "react";

import { useCards } from "@/api/cards";
import { announce } from "@/components/Announcer";
import { Button } from "@/components/Button";
import { EmptyState } from "@/components/EmptyState";
import { Pager } from "@/components/Pager";
import { useAnnouncement } from "@/components/useAnnouncement";
import { MovesSummary } from "@/explanations/MovesSummary";
import { format } from "@/lib/format";
import { lastPage } from "@/lib/listPages";
import type { ListRequest } from "@/lib/listRequest";
import { t } from "@/strings/en";

import { CardGrid } from "./CardGrid";
import { found, ordered, ORDERS, type ListedItem } from "./listOrder";
import { ListNotices } from "./ListNotices";
import { ListToolbar } from "./ListToolbar";
import { MadeFrom } from "./MadeFrom";
import type { List } from "./queries";
import type { Change, State } from "./state";

const text = t.recommendations.list;

interface Props {
  list: List;
  request: ListRequest;
  state: State;
  change: Change;
  /** Another list is on its way. */
  busy: boolean;
  refresh: () => void;
}

/** One list: what it was made from, what is special about it, its cards and its pages. */
export function ListView({ list, request, state, change, busy, refresh }: Props) {
  const top = usePageTop(state.page);
  const { cards } = useCards(list.items.map((item) => item.item_id));
  const order = ORDERS.find((name) => name === state.sort) ?? "rank";
  const shown = ordered(found(list.items, cards, state.find), cards, order);
  useAnnouncedList(list);
  useAnnouncement(state.find && text.shownOf(shown.length, list.items.length));
  return (
    <div className="space-y-4">
      <MadeFrom list={list} asOf={state.as_of} busy={busy} refresh={refresh} />
      <ListNotices list={list} model={state.model} />
      <MovesSummary items={list.items} />
      <div ref={top} tabIndex={-1} className="scroll-mt-4 outline-none">
        <ListToolbar state={state} change={change} request={request} />
      </div>
      <div aria-busy={busy} className={busy ? "opacity-60 transition-opacity delay-150" : ""}>
        <h2 className="sr-only">{t.recommendations.title}</h2>
        <Items shown={shown} list={list} first={request.offset === 0} change={change}>
          <CardGrid request={request} all={list.items} shown={shown} cards={cards} />
        </Items>
      </div>
      <ListPager list={list} request={request} change={change} shown={shown.length} />
    </div>
  );
}

interface ItemsProps {
  shown: ListedItem[];
  list: List;
  /** The page is the list's first one. */
  first: boolean;
  change: Change;
  children: ReactNode;
}

/** The cards, or why there are none. */
function Items({ shown, list, first, change, children }: ItemsProps) {
  if (shown.length > 0) return children;
  if (list.items.length > 0)
    return (
      <EmptyState title={text.nothingFound}>
        <Button
          size="small"
          onClick={() => {
            change({ find: "" });
          }}
        >
          {text.clearFind}
        </Button>
      </EmptyState>
    );
  if (first) return <EmptyState title={text.empty}>{text.emptyText}</EmptyState>;
  return (
    <EmptyState title={text.emptyPage}>
      <Button
        size="small"
        onClick={() => {
          change({ page: "1" });
        }}
      >
        {text.firstPage}
      </Button>
    </EmptyState>
  );
}

interface PagerProps {
  list: List;
  request: ListRequest;
  change: Change;
  shown: number;
}

function ListPager({ list, request, change, shown }: PagerProps) {
  const page = request.offset / request.k + 1;
  const { length } = list.items;
  const to = (number: number) => () => {
    change({ page: String(number), find: "" });
  };
  const more = list.shortfall === 0 && page < lastPage(request.k);
  const ranks = text.ranks(
    format.count(list.items[0]?.rank ?? 0),
    format.count(list.items.at(-1)?.rank ?? 0),
  );
  const part = shown < length ? ` · ${text.shownOf(shown, length)}` : "";
  return (
    <Pager
      text={length > 0 ? ranks + part : ""}
      onPrevious={page > 1 ? to(page - 1) : null}
      onNext={more ? to(page + 1) : null}
    />
  );
}

/** The place that the keyboard and the eye go to when another page of the list is asked for. */
function usePageTop(page: string) {
  const top = useRef<HTMLDivElement>(null);
  const before = useRef(page);
  useEffect(() => {
    if (before.current === page) return;
    before.current = page;
    top.current?.focus({ preventScroll: true });
    top.current?.scrollIntoView();
  }, [page]);
  return top;
}

/** Says so when another list has come. */
function useAnnouncedList(list: List): void {
  const last = useRef(list.generated_at);
  useEffect(() => {
    if (last.current === list.generated_at) return;
    last.current = list.generated_at;
    announce(t.recommendations.made.shown(list.items.length));
  }, [list]);
}
