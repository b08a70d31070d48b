use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_795_608_000;
const DAY: i64 = 86_400;

/// Nothing goes by these.
fn none() -> Rules {
    Rules { unread: Fate::Judged, ..Rules::default() }
}

/// A read message that is so many days old.
fn aged(days: i64) -> Candidate {
    Candidate { time: Some(NOW - days * DAY), size: Some(10), flags: Flags::SEEN, matches: true }
}

fn ages_that_go(rules: &Rules, candidates: &[Candidate]) -> Vec<i64> {
    let go = rules.chosen(candidates, NOW);
    let gone = candidates.iter().zip(go).filter(|(_, goes)| *goes);
    gone.map(|(candidate, _)| candidate.time.map_or(-1, |time| (NOW - time) / DAY)).collect()
}

#[test]
fn each_rule_alone_and_all_together() {
    let box_of_five: Vec<Candidate> = [400, 100, 91, 90, 1].map(aged).into();
    let age = |text: &str| Some(text.parse().unwrap());
    for (name, rules, gone) in [
        ("none", none(), &[][..]),
        ("90 days: what is just as old stays", Rules { older_than: age("90d"), ..none() }, &[400, 100, 91]),
        ("a year", Rules { older_than: age("1y"), ..none() }, &[400]),
        ("the newest two stay", Rules { keep: Some(2), ..none() }, &[400, 100, 91]),
        ("more than there are", Rules { keep: Some(9), ..none() }, &[]),
        ("30 octets", Rules { keep_size: Some(30), ..none() }, &[400, 100]),
        ("39 octets", Rules { keep_size: Some(39), ..none() }, &[400, 100]),
        (
            "what any rule would remove goes",
            Rules { older_than: age("90d"), keep: Some(4), keep_size: Some(11), ..none() },
            &[400, 100, 91, 90],
        ),
    ] {
        assert_eq!(ages_that_go(&rules, &box_of_five), gone, "{name}");
    }
}

#[test]
fn what_is_spared_stays_and_takes_its_place_among_the_newest() {
    let with = |flags: Flags, days| Candidate { flags, ..aged(days) };
    let flagged = Flags::FLAGGED.with(Flags::SEEN);
    let draft = Flags::DRAFT.with(Flags::SEEN);
    let candidates = [
        with(flagged, 500),
        with(draft, 400),
        with(Flags::NONE, 300),
        aged(200),
        with(flagged, 100),
        aged(50),
    ];
    for (name, rules, gone) in [
        ("by default", none(), &[300, 200][..]),
        ("unread", Rules { unread: Fate::Spared, ..none() }, &[200]),
        ("flagged", Rules { flagged: Fate::Judged, ..none() }, &[500, 300, 200, 100]),
        ("drafts", Rules { drafts: Fate::Judged, ..none() }, &[400, 300, 200]),
        ("only the read", Rules { only: Flags::SEEN, ..none() }, &[200]),
        ("only the unread", Rules { only_without: Flags::SEEN, ..none() }, &[300]),
    ] {
        let by_age = Rules { older_than: Some("90d".parse().unwrap()), ..rules.clone() };
        assert_eq!(ages_that_go(&by_age, &candidates), gone, "{name}");
    }
    let two = Rules { keep: Some(2), ..none() };
    assert_eq!(ages_that_go(&two, &candidates), [300, 200], "the flagged one of 100 days is the second");
}

#[test]
fn rules_are_about_those_that_meet_the_conditions() {
    let mut candidates = [500, 400, 300, 200, 100].map(aged);
    for at in [1, 4] {
        candidates[at].matches = false;
    }
    let two = Rules { keep: Some(2), ..none() };
    assert_eq!(ages_that_go(&two, &candidates), [500], "300 and 200 are the newest that match");
}

#[test]
fn what_has_no_known_time_stays_and_takes_no_place() {
    let undated = Candidate { time: None, ..aged(0) };
    let candidates = [undated, aged(300), undated, aged(200)];
    let one = Rules { keep: Some(1), older_than: Some("250d".parse().unwrap()), ..none() };
    assert_eq!(ages_that_go(&one, &candidates), [300]);
}

#[test]
fn of_two_with_one_time_the_later_is_the_newer() {
    let candidates = [aged(5); 3];
    let one = Rules { keep: Some(1), ..none() };
    assert_eq!(one.chosen(&candidates, NOW), [true, true, false]);
}

#[test]
fn sizes_beyond_all_numbers_do_not_come_round() {
    let candidates = [Candidate { size: Some(u64::MAX), ..aged(2) }, Candidate { size: Some(5), ..aged(1) }];
    let rules = Rules { keep_size: Some(10), ..none() };
    assert_eq!(rules.chosen(&candidates, NOW), [true, false]);
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![Just(Fate::Spared), Just(Fate::Judged)]
}

fn flags() -> impl Strategy<Value = Flags> {
    "[DFPRST]{0,3}".prop_map(|letters| Flags::of_letters(letters.as_bytes()))
}

fn rules() -> impl Strategy<Value = Rules> {
    let spans = prop_oneof![Just("1h"), Just("9d"), Just("2w"), Just("1mo"), Just("3y")];
    let limits = (
        prop::option::of(spans.prop_map(|span| span.parse().unwrap())),
        prop::option::of(1_u64..6),
        prop::option::of(1_u64..100),
    );
    let only = prop_oneof![3 => Just(Flags::NONE), 1 => Just(Flags::SEEN), 1 => Just(Flags::REPLIED)];
    let not = prop_oneof![3 => Just(Flags::NONE), 1 => Just(Flags::SEEN)];
    (limits, fate(), fate(), fate(), only, not).prop_map(
        |((older_than, keep, keep_size), unread, flagged, drafts, only, only_without)| Rules {
            older_than,
            keep,
            keep_size,
            unread,
            flagged,
            drafts,
            only,
            only_without,
        },
    )
}

fn candidate() -> impl Strategy<Value = Candidate> {
    let time = prop::option::weighted(0.9, (-40_i64..1200).prop_map(|days| NOW - days * DAY / 2));
    let sizes = prop_oneof![4 => 0_u64..40, 1 => Just(u64::MAX)];
    (time, sizes, flags(), prop::bool::weighted(0.8)).prop_map(|(time, size, flags, matches)| Candidate {
        time,
        size: Some(size),
        flags,
        matches,
    })
}

/// The manual's sentences, one after the other, for one message: no sorting, no sums kept.
fn goes_by_the_manual(rules: &Rules, candidates: &[Candidate], at: usize, now: i64) -> bool {
    let is_about = |candidate: &Candidate| {
        candidate.matches
            && candidate.flags.has(rules.only)
            && (rules.only_without == Flags::NONE || !candidate.flags.has(rules.only_without))
    };
    let this = &candidates[at];
    let Some(time) = this.time else { return false };
    let is_spared = rules.flagged == Fate::Spared && this.flags.has(Flags::FLAGGED)
        || rules.drafts == Fate::Spared && this.flags.has(Flags::DRAFT)
        || rules.unread == Fate::Spared && !this.flags.has(Flags::SEEN);
    if !is_about(this) || is_spared {
        return false;
    }
    let this_and_newer = candidates.iter().enumerate().filter(|(other, candidate)| {
        is_about(candidate) && candidate.time.is_some_and(|other_time| (other_time, *other) >= (time, at))
    });
    let sizes: Vec<u128> =
        this_and_newer.map(|(_, candidate)| candidate.size.unwrap_or_default().into()).collect();
    rules.older_than.is_some_and(|age| time < age.before(now))
        || rules.keep.is_some_and(|keep| sizes.len() as u64 > keep)
        || rules.keep_size.is_some_and(|keep| sizes.iter().sum::<u128>() > keep.into())
}

proptest! {
    #[test]
    fn whoever_reads_the_manual_comes_to_the_same_choice(
        rules in rules(),
        candidates in prop::collection::vec(candidate(), 0..12),
        years in -80_i64..80,
    ) {
        let now = NOW + years * 365 * DAY;
        let go = rules.chosen(&candidates, now);
        let model: Vec<bool> =
            (0..candidates.len()).map(|at| goes_by_the_manual(&rules, &candidates, at, now)).collect();
        prop_assert_eq!(&go, &model);
        if !rules.rank() {
            for (candidate, goes) in candidates.iter().zip(go) {
                let alone = candidate.time.is_some_and(|time| rules.outlived(time, now));
                let open = candidate.matches && rules.concern(candidate.flags) && !rules.spare(candidate.flags);
                prop_assert_eq!(goes, alone && open, "one at a time is the same as all together");
            }
        }
    }
}
