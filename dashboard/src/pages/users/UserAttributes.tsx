import { AttributeList } from "@/components/AttributeList";
import { Badge } from "@/components/Badge";
import { Card } from "@/components/Card";
import { QueryView } from "@/components/QueryView";
import { SkeletonLines } from "@/components/Skeleton";
import { format } from "@/lib/format";
import { t } from "@/strings/en";

import { useUser } from "./queries";

/** What the shop says of the user, and whether it may be kept. */
export function UserAttributes({ userId }: { userId: string }) {
  const user = useUser(userId);
  return (
    <Card title={t.user.attributes.title}>
      <QueryView query={user} skeleton={<SkeletonLines lines={2} />}>
        {({ consent, attributes, updated_at }) => (
          <div className="space-y-3 text-sm">
            <p>
              <Badge tone={consent === null ? "plain" : consent ? "good" : "warn"}>
                {t.user.attributes.consent[String(consent) as "true" | "false" | "null"]}
              </Badge>
            </p>
            {Object.keys(attributes).length === 0 ? (
              <p className="text-muted">{t.user.attributes.none}</p>
            ) : (
              <AttributeList attributes={attributes} />
            )}
            {updated_at && (
              <p className="text-xs text-muted">{t.user.attributes.since(format.time(updated_at))}</p>
            )}
          </div>
        )}
      </QueryView>
    </Card>
  );
}
