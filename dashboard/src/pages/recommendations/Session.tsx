import { Plus } from "lucide-react";

import { useCards } from "@/api/cards";
import { announce } from "@/components/Announcer";
import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { ChosenName } from "@/components/ChosenNames";
import { ItemField } from "@/components/ItemField";
import { format } from "@/lib/format";
import { packNames, unpackNames } from "@/lib/names";
import { t } from "@/strings/en";

import { usePopularItems } from "./queries";
import type { Change, State } from "./state";

const text = t.recommendations.session;

/** The session of a new visitor: items in the order in which they were looked at. */
export function Session({ state, change }: { state: State; change: Change }) {
  const items = unpackNames(state.session);
  const { cards, unknown } = useCards(items);
  const nameOf = (id: string) => cards.get(id)?.title ?? id;
  const set = (ids: string[]) => {
    change({ session: packNames(ids), visitor: "1", page: "1" });
  };
  const add = (id: string, name: string) => {
    // What is looked at again was looked at last.
    set([...items.filter((one) => one !== id), id]);
    announce(text.added(name));
  };
  return (
    <Card
      title={text.title}
      action={
        items.length > 0 && (
          <Button
            size="small"
            onClick={() => {
              set([]);
            }}
          >
            {text.clear}
          </Button>
        )
      }
    >
      <div className="max-w-xl">
        <ItemField
          label={text.add}
          placeholder={text.addPlaceholder}
          value=""
          onChoose={(item) => {
            add(item.item_id, item.title ?? item.item_id);
          }}
          clearAfterChoice
        />
      </div>
      {items.length === 0 ? (
        <Beginnings onAdd={add} />
      ) : (
        <>
          <ol className="mt-4 flex flex-wrap gap-2">
            {items.map((id, index) => (
              <li key={id} className="flex max-w-full min-w-0 items-center gap-1.5 sm:max-w-72">
                <span className="text-xs text-muted">{format.count(index + 1)}</span>
                <ChosenName
                  name={nameOf(id)}
                  note={unknown.includes(id) ? text.unknown : ""}
                  onRemove={() => {
                    set(items.filter((one) => one !== id));
                  }}
                />
              </li>
            ))}
          </ol>
          <p className="mt-2 text-xs text-muted">{text.order}</p>
        </>
      )}
    </Card>
  );
}

const BEGINNINGS = 5;

/** Popular items that a session may begin with, at a click. */
function Beginnings({ onAdd }: { onAdd: (id: string, name: string) => void }) {
  const { data } = usePopularItems(BEGINNINGS);
  return (
    <>
      <p className="mt-4 text-sm text-muted">{text.empty}</p>
      <ul className="mt-2 flex flex-wrap gap-2">
        {data?.items.map(({ item_id, title }) => (
          <li key={item_id} className="max-w-full min-w-0 sm:max-w-72">
            <Button
              size="small"
              className="max-w-full"
              onClick={() => {
                onAdd(item_id, title ?? item_id);
              }}
            >
              <Plus aria-hidden="true" className="size-3.5 shrink-0" />
              <span className="truncate">{title ?? item_id}</span>
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}
