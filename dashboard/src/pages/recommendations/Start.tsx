import { ChevronRight, UserPlus } from "lucide-react";

import { Button } from "@/components/Button";
import { Card } from "@/components/Card";
import { QueryView } from "@/components/QueryView";
import { SkeletonLines } from "@/components/Skeleton";
import { t } from "@/strings/en";

import { useSomeUsers } from "./queries";
import type { Change } from "./state";
import { ofUser, UserRow } from "./Who";

const text = t.recommendations.start;
const USERS = 6;

/** Nobody is chosen yet: some users to take, and the way to a new visitor. */
export function Start({ change }: { change: Change }) {
  const users = useSomeUsers(USERS);
  return (
    <div data-state="start" className="grid items-start gap-4 lg:grid-cols-[2fr_1fr]">
      <Card title={text.user}>
        <p className="mb-4 text-sm text-muted">{text.userText}</p>
        <QueryView query={users} skeleton={<SkeletonLines lines={4} />}>
          {({ users: rows }) =>
            rows.length === 0 ? (
              <p className="text-sm">{text.noUsers}</p>
            ) : (
              <ul className="grid gap-2 sm:grid-cols-2">
                {rows.map((row) => (
                  <li key={row.user_id}>
                    <button
                      type="button"
                      className="flex w-full items-center justify-between gap-2 rounded-lg border border-line px-3 py-2 text-left text-sm hover:border-accent hover:bg-sunken"
                      onClick={() => {
                        change(ofUser(row.user_id));
                      }}
                    >
                      <UserRow row={row} />
                      <ChevronRight aria-hidden="true" className="size-4 shrink-0 text-muted" />
                    </button>
                  </li>
                ))}
              </ul>
            )
          }
        </QueryView>
      </Card>
      <Card title={text.visitor}>
        <p className="mb-4 text-sm text-muted">{text.visitorText}</p>
        <Button
          look="primary"
          onClick={() => {
            change({ visitor: "1" });
          }}
        >
          <UserPlus aria-hidden="true" className="size-4" />
          {text.visitorButton}
        </Button>
      </Card>
    </div>
  );
}
