import { t } from "@/strings/en";

/** The server knows types of events that this page does not: those are named as they are. */
export function actionText(type: string): string {
  return t.user.actions[type] ?? type.replaceAll("_", " ");
}
