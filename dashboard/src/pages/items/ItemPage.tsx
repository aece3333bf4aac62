import { PageHeading } from "@/components/PageHeading";
import { t } from "@/strings/en";

export default function ItemPage() {
  return <PageHeading title={t.itemPage.title} />;
}
