import { PageHeading } from "@/components/PageHeading";
import { t } from "@/strings/en";

export default function UsersPage() {
  return <PageHeading title={t.users.title} />;
}
