import { Check, X } from "lucide-react";

import { useKey } from "@/api/queries";
import { Card } from "@/components/Card";
import { QueryView } from "@/components/QueryView";
import { t } from "@/strings/en";

const words = t.system.key;
const SCOPES = ["read", "write", "catalogue", "admin"] as const;

/** What the caller may do. */
export function KeyCard() {
  const key = useKey();
  return (
    <Card title={words.title}>
      <QueryView query={key}>
        {({ keys, name, scopes }) => (
          <div className="space-y-3 text-sm">
            <p>{!keys ? words.open : name ? words.named(name) : words.none}</p>
            <ul className="space-y-2">
              {SCOPES.map((scope) => {
                const may = scopes.includes(scope);
                const Icon = may ? Check : X;
                return (
                  <li key={scope} className="flex items-start gap-2">
                    <Icon
                      aria-hidden="true"
                      className={`mt-0.5 size-4 shrink-0 ${may ? "text-good" : "text-muted"}`}
                    />
                    <span>
                      <span className="font-mono">{scope}</span> · {may ? words.may : words.mayNot}
                      <span className="block text-xs text-muted">{words.scopes[scope]}</span>
                    </span>
                  </li>
                );
              })}
            </ul>
          </div>
        )}
      </QueryView>
    </Card>
  );
}
