/** The pages: a new one is a folder in src/pages and a line here. Those with a label are in the navigation. */

import {
  Boxes,
  Flame,
  FlaskConical,
  ListFilter,
  Server,
  Sparkles,
  UserRound,
  type LucideIcon,
} from "lucide-react";
import { lazy, type ComponentType } from "react";

import { t } from "@/strings/en";

interface Page {
  path: string;
  component: ComponentType;
  label?: string;
  icon?: LucideIcon;
}

export const pages: Page[] = [
  {
    path: "/",
    component: lazy(() => import("@/pages/recommendations/RecommendationsPage")),
    label: t.nav.recommendations,
    icon: Sparkles,
  },
  {
    path: "/users",
    component: lazy(() => import("@/pages/users/UsersPage")),
    label: t.nav.users,
    icon: UserRound,
  },
  { path: "/user", component: lazy(() => import("@/pages/users/UserPage")) },
  {
    path: "/items",
    component: lazy(() => import("@/pages/items/ItemsPage")),
    label: t.nav.items,
    icon: Boxes,
  },
  { path: "/item", component: lazy(() => import("@/pages/items/ItemPage")) },
  {
    path: "/popular",
    component: lazy(() => import("@/pages/popular/PopularPage")),
    label: t.nav.popular,
    icon: Flame,
  },
  {
    path: "/rules",
    component: lazy(() => import("@/pages/rules/RulesPage")),
    label: t.nav.rules,
    icon: ListFilter,
  },
  {
    path: "/experiments",
    component: lazy(() => import("@/pages/experiments/ExperimentsPage")),
    label: t.nav.experiments,
    icon: FlaskConical,
  },
  {
    path: "/system",
    component: lazy(() => import("@/pages/system/SystemPage")),
    label: t.nav.system,
    icon: Server,
  },
];
