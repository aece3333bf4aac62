import { PageHeading } from "@/components/PageHeading";
import { t } from "@/strings/en";

export default function UserPage() {
  return <PageHeading title={t.user.title} />;
}
