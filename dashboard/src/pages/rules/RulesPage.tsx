import { PageHeading } from "@/components/PageHeading";
import { t } from "@/strings/en";

export default function RulesPage() {
  return <PageHeading title={t.rules.title} />;
}
