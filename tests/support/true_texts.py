"""True texts about known facts, as a good language model words them: what a guard must let pass.

Most were written before the guard's vocabulary, and that was made to fit them; `HELD_OUT` came after it, and some words
that it lacked were added since. No template of the rules stands among them.
"""

import re
from collections.abc import Iterator

from recsys.explain.fact import Fact, Kind

ACTIONS = {
    "purchase": "bought",
    "view": "viewed",
    "click": "clicked on",
    "add_to_cart": "added to your cart",
    "rating": "rated",
    None: "chose",
}
BRANDS = {"purchase": "bought from", "view": "looked at", "click": "clicked on", "rating": "rated", None: "chose"}


def facts_of(action: str | None) -> tuple[Fact, ...]:
    """One fact of each kind, those of the history by an action."""
    own = {"history_item": 7, "action": action, "personal": True, "strength": 0.5}
    return (
        Fact("f1", Kind.NEXT_PURCHASE, "Argan oil shampoo", "title", count=4, **own),
        Fact("f2", Kind.CO_PURCHASE, "Rose face cream", "title", count=4, **own),
        Fact("f3", Kind.SIMILAR_TEXT, "Hair mask, 200 ml", "title", **own),
        Fact("f4", Kind.SHARED_BRAND, "Arganics", "brand", count=3, **own),
        Fact("f5", Kind.SHARED_CATEGORY, "Hair Care", "category", count=3, **own),
        Fact("f6", Kind.PRICE_NEAR_HABIT, 12.95, "price", personal=True, strength=0.3),
        Fact("f7", Kind.PREDICTED_RATING, 4.4, "rating", personal=True, strength=0.3),
        Fact("f8", Kind.AVERAGE_RATING, 4.6, "rating", strength=0.2),
        Fact("f9", Kind.POPULARITY, 12, "rank", strength=0.2),
        Fact("f10", Kind.TREND, 35, "percent", strength=0.2),
        Fact("f11", Kind.RULE, "under 20", "text", strength=0.1),
        Fact("f12", Kind.TASTE, "", "text", count=9, personal=True, strength=0.4),
        Fact("f13", Kind.AVERAGE_RATING, 2.1, "rating", polarity="against", strength=-0.2),
        Fact("f14", Kind.CO_PURCHASE, "Pregnancy test", "title", count=4, sensitive=True, **own),
        Fact("f15", Kind.BRAND, "Arganics", "brand"),
        Fact("f16", Kind.CATEGORY, "Hair Care", "category"),
        Fact("f17", Kind.PRICE, 12.95, "price"),
        Fact("f18", Kind.CO_PURCHASE, "Night cream", "title", count=4, **own),
    )


# V: what the user did, in a phrase that takes an object; B: the same with a brand as the object.
OF_ACTION = """
Because you V {f2}, you may like this.
Since you V {f2}, you might like this one.
We suggest this because you V {f2}.
We recommend this item since you V {f2}.
Because you V {f2}, we think this could be a good match for you.
This goes together with {f2}, an item that you V.
As you V {f2}, this may interest you.
Based on {f2}, which you V, this may be a good fit.
You V {f2}, so this may be of interest to you.
Because you V both {f2} and {f18}, this could be a good choice for you.
Its description is similar to that of {f3}, which you V.
This is similar to {f3}, which you V.
It resembles {f3}, an item you V.
You V {f3}, and this is described in a similar way.
Much like {f3}, which you V.
This item is described like {f3}, which you V.
Since you V {f3}, here is something similar.
Because you V {f3}, you might like this similar item.
Here is an item similar to {f3}, which you V.
Its description has a lot in common with that of {f3}.
The descriptions of this item and {f3} are alike.
You V {f3}; this one is comparable.
If you like {f3}, you may like this similar item.
It comes close to {f3} in its description.
You V {f3} earlier, and this resembles it.
It is from {f4}, a brand you have B before.
You have B {f4} before, and this is by the same brand.
This is made by {f4}, the same brand as several items that you V.
This comes from {f4}, a brand in your history.
It is another item by {f4}, a brand you already B.
By {f4}, the brand of several items you V.
You B {f4} before.
It is in {f5}, like several items you V.
This belongs to {f5}, a category you have B before.
You V several items in {f5}, and here is another one.
Since you V items in {f5}, you might like this one.
It is from the same category, {f5}, as items you V.
Here is another item in {f5}, a category in your history.
It has been chosen after {f1}, which you V.
Customers chose this after {f1}, which you V.
After {f1}, which you V, customers chose this item.
You V {f1}, and customers have chosen this later.
You V {f1}; some customers chose this later.
Some customers chose this item later than {f1}, which you V.
Because you V {f1}, we suggest this item, which has been chosen later.
After choosing {f1}, some customers chose this.
Several customers have chosen this after {f1}.
This has been picked after {f1}, which you V.
People have chosen this after {f1}.
It has been chosen along with {f2}, which you V.
Some customers who chose {f2} chose this too.
This has been chosen by customers who chose {f2}, which you V.
You V {f2}, and some customers who chose it chose this as well.
Customers chose both this and {f2}, which you V.
This and {f2}, which you V, have been chosen by the same customers.
This has been chosen together with {f2}.
This item was picked alongside {f2}, which you V.
Several shoppers chose this along with {f2}.
Because you V {f2}, you may like this: it has been chosen along with it.
You V {f2} and {f18}; customers have chosen this along with them.
""".strip().splitlines()

OTHERS = """
We expect you to rate it {f7}.
You would probably rate this {f7}.
We think you would give it a rating of {f7}.
Our estimate of your rating is {f7}.
You are likely to rate it about {f7}.
The rating we expect from you is {f7}.
We predict that you would rate it {f7}.
It is rated {f8} on average.
It is well rated, at {f8}.
Its average rating is {f8}.
Customers rate it {f8} on average.
It has an average rating of {f8}.
Others rated it {f8} on average.
With an average rating of {f8}, it is well rated.
People gave it {f8} on average.
Rated {f8} on average by other customers.
It is popular: number {f9} among all items.
This is a popular item, ranked {f9}.
It is popular with other shoppers, at rank {f9}.
This is popular and holds place {f9} in our catalogue.
A popular choice, number {f9} of all items.
Popular with our customers, at number {f9}.
It is one of our popular items, at rank {f9}.
This is trending: up at least {f10} lately.
Its popularity has grown by at least {f10} lately.
It is becoming more popular, up at least {f10}.
Interest in this item is rising, by at least {f10}.
It matches what you asked for: {f11}.
You asked for {f11}, and this fits.
It fits your filter, {f11}.
It meets your request: {f11}.
At {f6}, it is close to the average of your history.
Its price of {f6} is near the average price in your history.
It costs {f6}, which is about the average of your history.
The price, {f6}, is in line with the average of your history.
Priced at {f6}, it is close to the average price of items in your history.
It costs {f6}, close to the average price of your history.
With a price of {f6}, it is near the average in your history.
It is popular, at rank {f9} of all items.
""".strip().splitlines()

# With the fact that they cite beside the text.
CITED = """
f12|It fits your taste as a whole.
f12|It matches what you have chosen so far.
f12|This goes well with your choices as a whole.
f12|It suits your taste.
f12|All in all, your history points to this item.
f12|Taken together, your choices fit this item well.
f12|It is in line with your taste.
f4|It is by a brand that you know.
f5|It is in a category from your history.
f8|It is well rated on average.
f9|It is popular with other shoppers.
f9|It is a popular item.
f10|It is becoming more popular.
f3|Its description is similar to that of an item in your history.
f6|Its price is close to the average of your history.
f6|It is priced in line with the average of your history.
f2|It has been chosen by customers who chose an item in your history.
f1|It has been chosen after an item in your history.
""".strip().splitlines()

COMBINED = """
This is by {f4}, like several items you V, and it is similar to {f3}.
It is similar to {f3}, which you V, and popular too, at rank {f9}.
It is in {f5}, a category in your history, and rated {f8} on average.
Its description resembles that of {f3}, and customers rate it {f8} on average.
It is similar to {f3}, although it is rated {f13} on average.
You V {f3}, and this is similar. It is also by {f4}, a brand in your history.
Because you V {f2}, and at {f6} it is close to the average of your history.
Some customers who chose {f2} chose this, and it is rated {f8} on average.
You V {f1}, and this has been chosen later; it costs {f6}, close to the average of your history.
After {f1}, some customers chose this, and it is by {f4}, a brand in your history.
This has been chosen together with {f2}, and it is up at least {f10} lately.
Although its average rating is only {f13}, some customers who chose {f2} chose this.
Some customers who chose {f2} chose this, but its average rating is {f13}.
You V {f2}. It has been chosen together with {f2}. We expect you to rate it {f7}.
""".strip().splitlines()

BLURBS = """
This item by {f15} belongs to {f16}.
It is made by {f15} and costs {f17}.
From {f15}, in {f16}, for {f17}.
An item in {f16} by {f15}, rated {f8} on average.
{f15} offers this item in {f16} at {f17}.
It is priced at {f17} and rated {f8} on average.
This is an item of the brand {f15}.
The price is {f17}.
Customers rate this item {f8} on average, and it is by {f15}.
It is a popular item from {f15}, number {f9} in the catalogue.
""".strip().splitlines()

MORE = """
Because you V {f2}, we think you may like this too.
This item has a description similar to {f3}, which you V.
You V {f3}, and this item is similar to it.
Because you V {f3}, we suggest this similar item.
This item is described in a similar way to {f3}.
Its description is close to that of {f3}, which you V.
This item and {f3}, which you V, have similar descriptions.
We recommend this because it is similar to {f3}, which you V.
This item is much like {f3}.
You V items by {f4}, and this is another one from that brand.
It comes from {f4}, a brand you have B already.
Since you V several items from {f4}, you may like this one as well.
This is another item from {f4}, the brand of items you V.
Because you V items by {f4}, we suggest this item of the same brand.
Like several items you V, it is made by {f4}.
You V items in {f5}, and this belongs to the same category.
This is in {f5}, the category of several items you V.
Because you V several items in {f5}, we suggest this one.
It is another item from {f5}, a category you have B before.
We expect that you would rate it {f7}.
We estimate that you would rate this item {f7}.
You would probably give it {f7}.
You would likely rate it {f7}.
It is rated {f8} on average by customers.
Other customers rated it {f8} on average.
This item has a rating of {f8} on average.
Its ratings are {f8} on average.
It is a popular item, at number {f9}.
It ranks {f9} among all items by popularity.
This item is popular: it holds rank {f9} in the catalogue.
It has been growing in popularity, up at least {f10} lately.
It fits what you asked for: {f11}.
This matches your filter: {f11}.
It is made by {f15} and belongs to {f16}.
This item from {f15} costs {f17}.
In {f16}, by {f15}, at {f17}.
An item by {f15}, rated {f8} on average.
The brand is {f15}, and the category is {f16}.
It sells for {f17}.
This is by {f4}, a brand in your history, and popular with other customers, at rank {f9}.
Because you V {f2} and items by {f4}, you may like this.
We think this may suit you because you V {f2}.
In its description, this item is close to {f3}, which you V.
This item reads much like {f3}.
You V {f3}. This item has a similar description, close to that of {f3}.
Because of {f3}, which you V, we suggest this similar item.
It is similar in description to {f3}.
You have B {f4} before, and here is another item by that brand.
This item comes from {f4}, a brand that you know.
It is by {f4}, and you V several items of that brand.
This item is from {f5}, a category that you know well.
You V several items from {f5} before.
It belongs to {f5}, as do several items you V.
We predict a rating of {f7} from you.
We expect a rating of {f7} from you.
You would probably rate this item {f7}.
Shoppers rate this item {f8} on average.
The average rating of this item is {f8}.
On average, it is rated {f8}.
This item ranks {f9} in popularity.
This item is number {f9} among all our items.
This item is growing in popularity: up at least {f10} lately.
It is within what you asked for: {f11}.
This item is made by {f15}, and it costs {f17}.
An item by {f15}, in {f16}, for {f17}.
{f15} makes this item, which belongs to {f16}.
It is similar to {f3}, which you V, and it is by {f4}, a brand in your history.
You may like this because you V {f2} and because it is similar to {f3}.
Its description closely resembles {f3}, which you V.
This item is comparable to {f3}, which you V.
You V {f3}, which has a similar description.
We suggest this item for its similarity to {f3}, which you V.
This one is very similar to {f3}.
It shares much of its description with {f3}.
You V items from {f4}, so this item may interest you.
It is a {f4} item, like several items you V.
This item is by {f4}, and so are several items you V.
{f4} is a brand in your history, and this item is from {f4} too.
You have B several items by {f4}.
This is a {f5} item, and you V several of those.
Because {f5} is a category in your history, we suggest this item.
Several items you V are in {f5}, like this one.
{f5} is a category you have B before.
Our model expects you to rate it {f7}.
We think that you would rate it {f7}.
You might rate this item {f7}.
Its average rating by customers is {f8}.
It has been rated {f8} on average by other people.
It holds an average rating of {f8}.
It is one of the popular items: number {f9}.
By popularity, it is number {f9} of all items.
Popular items include this one, at number {f9}.
Its popularity is rising, up at least {f10}.
It meets what you asked for, {f11}.
This item by {f15} is in {f16} and costs {f17}.
The item belongs to {f16} and is made by {f15}.
It is similar to {f3}, and it is also by {f4}, a brand in your history.
This item has been chosen by shoppers who chose {f2}.
You V {f2}, and some other shoppers who chose it chose this too.
Since you V {f2}, we suggest this item, which has been chosen together with it.
{f2} and this item have been chosen together.
Customers chose this together with {f2}.
Some other customers who chose {f2} also chose this item.
We suggest this item because some customers who chose {f2} chose it.
You V {f2}, which has been chosen together with this item.
You V {f1}, and some people chose this afterwards.
Shoppers chose this item after {f1}.
Some people who chose {f1} chose this item later.
You V {f2}, and this has been chosen together with it. It is also rated {f8} on average.
It is similar to {f3}, which you V, and its price of {f6} is close to the average of your history.
You V {f2}; this item has been chosen with it by the same shoppers.
This item may interest you, since some people who chose {f2} chose it.
As you V {f2}, we suggest this item, chosen by the same people.
Chosen later by some people who chose {f1}.
Its price, {f6}, is close to the average of your history.
It costs {f6}, and that is close to the average price in your history.
With {f6}, it is near the average of your history.
The price of {f6} is close to the average price of your history.
You V {f2}, and this has been chosen with it; it is also rated {f8} on average.
It is in {f5}, a category you know, and costs {f6}, close to the average of your history.
This item and {f2} have been chosen by the same shoppers.
Some other people who chose {f2} picked this item too.
Because some people who chose {f2} chose this item, we think it may interest you.
You may like this item, as it has been chosen alongside {f2}, which you V.
You V {f2}. This item has been picked by people who chose {f2}.
We suggest it because it has been chosen with {f2}.
It was chosen alongside {f2}.
You V {f1}; some people chose this item later.
You V {f2}, and some people who chose it chose this too. At {f6}, it is close to the average of your history.
It is popular with shoppers, at rank {f9}.
""".strip().splitlines()

HELD_OUT = """
This item is here because you V {f2}.
Since {f2} is in your history, you may like this item.
Its description is much like that of {f3}, which you V.
Because its description is similar to {f3}, which you V, you may like it.
This item and {f3} have much in common in their descriptions.
Similar to {f3}, which you V.
You V {f3}, and this item has a comparable description.
It is related to {f3} by its description.
{f4} is a brand you have B before, and this item is from it.
This is another item of the brand {f4}, which you have B before.
You V several items by {f4}, so you may like this one.
It is from {f4}, like several items in your history.
From {f4}, a brand that you know.
The category {f5} is one that you have B before.
It belongs to {f5}, and so do several items you V.
In {f5}, a category that you V several items in.
You may like it because it is in {f5}, like several items you V.
You are expected to rate it {f7}.
We expect your rating to be {f7}.
You will probably rate it {f7}.
Its expected rating from you is {f7}.
Customers have rated it {f8} on average.
Rated {f8} on average, it is well rated.
Its average rating among customers is {f8}.
It is popular, at number {f9} of all items.
It holds place {f9} among the popular items.
It is ranked {f9} by popularity.
It has become more popular lately, by at least {f10}.
It is by {f15} and costs {f17}.
It belongs to {f16}, is by {f15} and costs {f17}.
This item is priced at {f17}.
Your interest in {f2} suggests that you may like this.
Because you V {f2}, this item could interest you.
If you like {f3}, this similar item may suit you.
This item's description is similar to that of {f3}.
It is described in the same way as {f3}, which you V.
This resembles {f3}, which you V, in its description.
You may enjoy this since it is similar to {f3}, which you V.
Its text is close to that of {f3}.
This is from {f4}, a brand whose items you V.
{f4} is the brand of this item and of several items you V.
You seem to like {f4}, and this is one of its items.
Another item from {f4}, a brand in your history.
Since you know {f4}, you may like this item by the same brand.
It shares its brand, {f4}, with items you V.
It falls into {f5}, a category in your history.
You have B {f5} before, and this is another item of that kind.
Its category is {f5}, as with several items you V.
We predict that you will rate it {f7}.
Your predicted rating of it is {f7}.
You may well rate it {f7}.
On average, customers give it {f8}.
Buyers rate it {f8} on average.
It is one of the popular items here, number {f9}.
Popular with other people, it ranks {f9}.
It is growing more popular, up at least {f10} lately.
It comes from {f15}, belongs to {f16} and costs {f17}.
This {f16} item is made by {f15}.
The maker is {f15}, the price is {f17}.
You V {f2}; some people who chose it chose this item as well.
People chose this item together with {f2}, which you V.
Because it has been chosen with {f2}, which you V, we suggest it.
Some shoppers who chose {f2}, which you V, chose this too.
It has been chosen alongside {f2}, an item that you V.
Chosen together with {f2}.
You V {f1}, and this item has been chosen later.
This item has been chosen after {f1}.
Some people went on to this item after {f1}.
Its price, {f6}, is similar to the average of your history.
It is priced at {f6}, about the average of your history.
It costs {f6}, which is close to the average price of your history.
You V {f2}, and several people who chose that chose this item too.
You V {f2}, which people chose with this item.
This was chosen by people who chose {f2}.
A few people who chose {f1} chose this item later.
At {f6}, it costs about the average of your history.
""".strip().splitlines()


def true_texts() -> Iterator[tuple[str, tuple[str, ...], tuple[Fact, ...]]]:
    """Text, ids that are cited beside it, and the facts."""
    for action, verb in ACTIONS.items():
        facts = facts_of(action)
        for text in OF_ACTION + COMBINED + MORE:
            if re.search(r"\b[VB]\b", text) or action is None:
                yield from _worded(text, action, verb, facts)
    facts = facts_of(None)
    for text in OTHERS + BLURBS:
        yield text, (), facts
    for line in CITED:
        cited, text = line.split("|")
        yield text, (cited,), facts


def held_out_texts() -> Iterator[tuple[str, tuple[str, ...], tuple[Fact, ...]]]:
    """As `true_texts`."""
    for text in HELD_OUT:
        for action, verb in ACTIONS.items():
            if re.search(r"\b[VB]\b", text) or action == "purchase":
                yield from _worded(text, action, verb, facts_of(action))


def _worded(
    text: str, action: str | None, verb: str, facts: tuple[Fact, ...]
) -> Iterator[tuple[str, tuple[str, ...], tuple[Fact, ...]]]:
    if re.search(r"\bB\b", text):
        if action not in BRANDS:
            return
        text = re.sub(r"\bB\b", BRANDS[action], text)
    yield re.sub(r"\bV\b", verb, text), (), facts
