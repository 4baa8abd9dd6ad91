"""Sentences made up in the place of Yelp's reviews and of SICK's pairs; see `stand_ins.py`.

They are to teach, so they must not be too easy: praise in words of blame and the other way round,
`not` before either, pairs that share every word and mean another thing. Yet they are made by hand
and by rule, and real ones are neither.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

THINGS = """food service soup pizza staff coffee salad place menu steak sushi burger waiter dessert
bread pasta chicken sauce curry breakfast"""
GOOD = """great lovely fresh wonderful friendly perfect delicious excellent superb charming
outstanding brilliant pleasant tasty fantastic generous splendid flawless divine amazing
crisp juicy tender authentic memorable impressive delightful heavenly attentive spotless
gorgeous exquisite terrific marvelous enjoyable yummy remarkable satisfying inviting
stunning phenomenal magnificent refreshing fabulous awesome beautiful unbeatable admirable
comforting exceptional delectable stellar top-notch mouthwatering cozy scrumptious first-
class incredible sensational"""
BAD = """awful slow cold bland rude terrible disappointing soggy stale dreadful greasy overpriced
careless burnt dirty mediocre tasteless horrible sloppy inedible disgusting rubbery dry
chewy pathetic forgettable unpleasant lousy watery hostile filthy ugly revolting miserable
pitiful boring nasty shameful frustrating repulsive gross atrocious lifeless dismal
appalling annoying tough insulting rotten unacceptable vile grim abysmal second-rate
unfriendly disgraceful unappetizing sickening mushy"""

PLAIN = (
    "The {thing} was {word}.",
    "I thought that the {thing} was {word} and the {other} {turned}.",
    "{word} and {turned}, that is what I call the {thing} here.",
    "My {other} was {turned} and the {thing} {word}, as always.",
    "Honestly, their {thing} is {word}, and how {turned} the {other}!",
    "We came for the {other} and found a {turned} place with {word} {thing}.",
)
TURNED = (
    "The {thing} was not {word}.",
    "I would never call the {thing} {word}.",
    "The {thing} is anything but {word}.",
)
MIXED = (
    "The {thing} was {word}, but the {other} was {turned} and that decides.",
    "People say that the {thing} is {word}; for us it was simply {turned}.",
)
LIKED = """I could eat here every day of the week.
Worth every penny and the long drive.
We licked our plates.
You cannot go wrong with anything on the card.
Nothing to complain about, not even the bill.
I have yet to find a better bowl of noodles.
It was gone before I thought of taking a picture.
Two hours passed and none of us wanted to leave.
My picky son asked for a second helping.
I was ready to hate it and now I come every Friday.
The ribs are to die for.
We will be back before the week is over.
Do not tell anyone, or I will not get a table any more.
They brought another drink for free when ours was late.
I only wish that I lived closer.
It beats the famous one across the street by far.
Whoever runs the kitchen knows what they are doing.
The wait is long for a reason.
I did not expect to smile that much over a sandwich.
Hard to believe that it costs so little."""
DISLIKED = """I would rather eat the napkin.
If you like waiting, this is the restaurant for you.
An hour for two eggs, well done everybody.
Great, another hair in my soup.
The best part of the evening was the way home.
My dog would have sent it back.
Save your money and stay at home.
We left before the main course came.
They ought to pay us for finishing it.
Never again, not even with a coupon.
I had high hopes and they were wasted.
It used to be good when the old owner ran it.
Nobody looked up when we came in, and nobody did when we left.
The picture on the card is the tastiest thing about it.
I asked for rare and got charcoal.
Lovely view, if only one could eat it.
We spent the night regretting the oysters.
Ten dollars for three shrimps, how generous.
The fries would have been perfect an hour earlier.
Somebody should tell the cook about salt."""


def write_yelp(folder: Path) -> None:
    """360 reviews of one sentence each, as many liked as not."""
    things, good, bad = THINGS.split(), GOOD.split(), BAD.split()
    lines = []
    for label, words, others, by_hand in ((1, good, bad, LIKED), (0, bad, good, DISLIKED)):
        made = by_hand.splitlines()
        for number in range(160):
            step = (3 + 4 * label) * number + number // 50 + label
            names = {
                "thing": things[step % 20],
                "other": things[(step + 7) % 20],
                "word": words[number * 7 % len(words)],
                "turned": words[(number * 11 + 5) % len(words)],
            }
            frames = {3: TURNED, 11: MIXED}.get(number % 16, PLAIN)
            if frames is not PLAIN:
                names["word"] = others[number * 7 % len(others)]
            said = frames[(number + number // 16 + label) % len(frames)].format(**names)
            made.append(said[0].upper() + said[1:])
        lines.append([f"{text}\t{label}" for text in made])
    mixed = [line for both in zip(*lines, strict=True) for line in both]
    write_lines(folder / "yelp_labelled.txt", mixed)


WHO = (
    ("A man", "A guy", "A person"),
    ("A woman", "A lady", "A person"),
    ("A child", "A kid", "Somebody"),
    ("A chef", "A cook", "Somebody"),
)
DOES = (
    ("is drawing", "is sketching", "is making a picture of"),
    ("is holding", "is carrying", "has"),
    ("is cleaning", "is washing", "is taking care of"),
    ("is buying", "is purchasing", "is getting"),
)
WHAT = (
    ("a carrot", "a carrot", "a vegetable"),
    ("a bicycle", "a bike", "a vehicle"),
    ("a puppy", "a dog", "an animal"),
    ("a shirt", "a shirt", "some clothes"),
)
WHERE = ("in the kitchen", "on the street", "near the river", "at the market")


def write_sick(folder: Path) -> None:
    """384 pairs with their relatedness, which the words that they share tell in part only."""
    lines = ["pair_ID\tsentence_A\tsentence_B\tentailment_label\trelatedness_score\tSemEval_set"]
    parts = ("TRAIN", "TRAIN", "TRIAL", "TEST", "TRAIN")
    for index, ((who, does, what), step) in enumerate(product(product(WHO, DOES, WHAT), range(6))):
        where = WHERE[index % 4]
        first = f"{who[0]} {does[0]} {what[0]} {where}"
        second, score, label = _second(who, does, what, where, (step + index // 6 % 2 * 6) % 12)
        if second != first:
            score = min(4.9, round(score + (index * 7 % 5 - 2) / 10, 1))
        row = (index + 1, first, second, label, score, parts[index % 5])
        lines.append("\t".join(map(str, row)))
    write_lines(folder / "SICK.txt", lines)


Words = tuple[str, str, str]


def _second(who: Words, does: Words, what: Words, where: str, way: int) -> tuple[str, float, str]:
    """Another sentence, how near its meaning is, and whether it follows."""
    other_who = WHO[(WHO.index(who) + 1) % 4]
    other_does = DOES[(DOES.index(does) + 1) % 4]
    other_what = WHAT[(WHAT.index(what) + 2) % 4]
    elsewhere = WHERE[(WHERE.index(where) + 2) % 4]
    ways = (
        (f"{who[0]} {does[0]} {what[0]} {where}", 5.0, "ENTAILMENT"),
        (f"{who[1]} {does[1]} {what[1]} {where}", 4.7, "ENTAILMENT"),
        (f"{who[2]} {does[0]} {what[2]} {where}", 4.3, "ENTAILMENT"),
        (f"There is no {who[0][2:]} who {does[0]} {what[0]} {where}", 3.4, "CONTRADICTION"),
        (f"{other_who[0]} {does[1]} {what[1]} {where}", 3.6, "NEUTRAL"),
        (f"{who[0]} {does[0]} {other_what[0]} {where}", 2.9, "NEUTRAL"),
        (f"{where[0].upper()}{where[1:]}, {who[0].lower()} {does[0]} {what[1]}", 4.8, "ENTAILMENT"),
        (f"{who[0]} {other_does[0]} {what[0]} {elsewhere}", 2.8, "NEUTRAL"),
        (f"{who[0]} {other_does[0]} {other_what[0]} {where}", 2.2, "NEUTRAL"),
        (f"{other_who[0]} {other_does[0]} {other_what[0]} {where}", 1.4, "NEUTRAL"),
        (f"{other_who[1]} {other_does[1]} {other_what[2]} {elsewhere}", 1.2, "NEUTRAL"),
        (f"{other_who[2]} {does[2]} {what[2]} {elsewhere}", 2.4, "NEUTRAL"),
    )
    return ways[way]


def write_lines(file: Path, lines: list[str]) -> None:
    """Lines with LF at their ends, whatever the machine."""
    file.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="\n")
