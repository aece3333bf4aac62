import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Suspense, useEffect } from "react";
import { Route, Router, Switch } from "wouter";

import { worthRetrying } from "@/api/client";
import { Announcer } from "@/components/Announcer";
import { PageSkeleton } from "@/components/Skeleton";

import { apiKey } from "./apiKey";
import { Layout } from "./Layout";
import { NotFound } from "./NotFound";
import { pages } from "./pages";
import { useScrollMemory } from "./scrollMemory";

const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: worthRetrying, staleTime: 15_000, refetchOnWindowFocus: false, networkMode: "always" },
    mutations: { networkMode: "always" },
  },
});

export function App() {
  // Another key may see more, or less.
  useEffect(() => apiKey.subscribe(() => void queries.resetQueries()), []);
  return (
    <QueryClientProvider client={queries}>
      <Router base="/ui">
        <Announcer />
        <Layout>
          <Pages />
        </Layout>
      </Router>
    </QueryClientProvider>
  );
}

function Pages() {
  useScrollMemory();
  return (
    <Suspense fallback={<PageSkeleton />}>
      <Switch>
        {pages.map(({ path, component }) => (
          <Route key={path} path={path} component={component} />
        ))}
        <Route component={NotFound} />
      </Switch>
    </Suspense>
  );
}
