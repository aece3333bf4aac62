import { useState } from "react";

import { Card } from "@/components/Card";
import { EmptyState } from "@/components/EmptyState";
import { QueryView } from "@/components/QueryView";
import { SearchField } from "@/components/SearchField";
import { t } from "@/strings/en";

import { PlainTable } from "@/components/PlainTable";
import { useConfig } from "./queries";
import { settingRows } from "./settingRows";

const words = t.system.config;

/** The settings in use; the server leaves out what is secret. */
export function ConfigCard() {
  const config = useConfig();
  const [typed, setTyped] = useState("");
  return (
    <Card title={words.title}>
      <p className="mb-3 text-sm text-muted">{words.lead}</p>
      <QueryView query={config}>
        {({ settings }) => {
          const rows = settingRows(settings, typed);
          return (
            <div className="space-y-3">
              <SearchField label={words.search} value={typed} onSearch={setTyped} />
              {rows.length === 0 ? (
                <EmptyState title={words.none} />
              ) : (
                <PlainTable
                  caption={words.title}
                  columns={[words.name, words.value]}
                  rows={rows.map(([name, value]) => [
                    <code key={name}>{name}</code>,
                    <span key="value" className="block min-w-40 wrap-anywhere">
                      {value || words.empty}
                    </span>,
                  ])}
                />
              )}
            </div>
          );
        }}
      </QueryView>
    </Card>
  );
}
