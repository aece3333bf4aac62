import { ExternalLink } from "lucide-react";

import { useKey, useModels } from "@/api/queries";
import { Card } from "@/components/Card";
import { PageHeading } from "@/components/PageHeading";
import { QueryView } from "@/components/QueryView";
import { Switch } from "@/components/Switch";
import { useUrlState } from "@/lib/urlState";
import { t } from "@/strings/en";

import { BundleCard } from "./BundleCard";
import { ConfigCard } from "./ConfigCard";
import { HealthCard } from "./HealthCard";
import { KeyCard } from "./KeyCard";
import { MetricsCard } from "./MetricsCard";
import { ModelsCard } from "./ModelsCard";
import { useStats } from "./queries";
import { ReportCard } from "./ReportCard";
import { StagesCard } from "./StagesCard";

const words = t.system;
const DEFAULTS = { live: "on" };

/** What answers here, how it is doing, and what it is made of. */
export default function SystemPage() {
  const [{ live }, setView] = useUrlState(DEFAULTS);
  const stats = useStats(live === "on");
  return (
    <>
      <PageHeading title={words.title} lead={words.lead}>
        <Switch
          label={words.live}
          on={live === "on"}
          onChange={(on) => {
            setView({ live: on ? "on" : "off" }, { replace: true });
          }}
        />
      </PageHeading>
      <div className="space-y-4">
        <QueryView query={stats}>
          {(told) => (
            <>
              <div className="grid items-start gap-4 lg:grid-cols-2">
                <BundleCard stats={told} />
                <HealthCard stats={told} />
              </div>
              <div className="mt-4">
                <StagesCard stages={told.stages} />
              </div>
            </>
          )}
        </QueryView>
        <div className="grid items-start gap-4 lg:grid-cols-2">
          <KeyCard />
          <LinksCard />
        </div>
        {stats.data && <Made />}
      </div>
    </>
  );
}

/** What the bundle is made of, and how well that was measured to do; what is shown once stats may be read. */
function Made() {
  const models = useModels();
  return (
    <>
      <QueryView query={models}>
        {(told) => (
          <div className="space-y-4">
            <ModelsCard models={told} />
            <MetricsCard metrics={told.metrics} />
          </div>
        )}
      </QueryView>
      <ReportCard />
      <ConfigCard />
    </>
  );
}

const LINKS = [
  { to: "/docs", label: words.links.docs },
  { to: "/metrics", label: words.links.metrics },
];

function LinksCard() {
  const key = useKey();
  return (
    <Card title={words.links.title}>
      <ul className="space-y-2 text-sm">
        {LINKS.map(({ to, label }) => (
          <li key={to}>
            <a href={to} className="inline-flex min-h-6 items-center gap-1.5 text-accent hover:underline">
              {label}
              <ExternalLink aria-hidden="true" className="size-3.5" />
            </a>
          </li>
        ))}
      </ul>
      {key.data?.keys && <p className="mt-2 text-xs text-muted">{words.links.keyed}</p>}
    </Card>
  );
}
