import { PageHeading } from "@/components/PageHeading";
import { t } from "@/strings/en";

export default function SystemPage() {
  return <PageHeading title={t.system.title} />;
}
