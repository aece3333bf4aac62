import { PageHeading } from "@/components/PageHeading";
import { t } from "@/strings/en";

export default function ItemsPage() {
  return <PageHeading title={t.items.title} />;
}
