#include "core/eval/planted_facts.h"

#include <array>

namespace ropescope {
namespace {

// The recipe's own lists.
constexpr std::array<const char*, 84> kFirstNames = {
    "Alice",    "Arthur",  "Agnes",    "Albert",   "Amelia", "Barnaby",  "Beatrice", "Bertram",
    "Cecil",    "Clara",   "Clement",  "Cora",     "Daniel", "Dorothea", "Edgar",    "Edith",
    "Edmund",   "Eleanor", "Elias",    "Esther",   "Felix",  "Fanny",    "Florence", "Gabriel",
    "George",   "Grace",   "Gilbert",  "Hannah",   "Harold", "Harriet",  "Henry",    "Hester",
    "Hugh",     "Ida",     "Isaac",    "Isabel",   "Jasper", "Jane",     "Jonas",    "Josephine",
    "Julian",   "Kate",    "Laura",    "Leonard",  "Lionel", "Louisa",   "Lucius",   "Mabel",
    "Margaret", "Martin",  "Matilda",  "Miles",    "Miriam", "Nathan",   "Nora",     "Oliver",
    "Olive",    "Oscar",   "Patience", "Percy",    "Philip", "Phoebe",   "Rachel",   "Ralph",
    "Rebecca",  "Rhoda",   "Robert",   "Rosamond", "Rupert", "Ruth",     "Samuel",   "Silas",
    "Sophia",   "Stephen", "Susan",    "Sybil",    "Thomas", "Theodora", "Ursula",   "Victor",
    "Viola",    "Walter",  "Wilfred",  "Winifred"};
constexpr std::array<const char*, 70> kLastNames = {
    "Abbott",  "Archer",  "Barlow",   "Bennet",    "Blackwood", "Bourne",    "Bright",
    "Carver",  "Chester", "Cobb",     "Crane",     "Dale",      "Darrow",    "Denham",
    "Drake",   "Ellery",  "Everett",  "Fairfax",   "Finch",     "Fletcher",  "Forrest",
    "Garland", "Graves",  "Hale",     "Harding",   "Hartley",   "Hawthorne", "Holloway",
    "Ingram",  "Jarvis",  "Keane",    "Kendall",   "Lacey",     "Langley",   "Lockwood",
    "Marlow",  "Mercer",  "Monk",     "Nash",      "Norris",    "Oakley",    "Osborne",
    "Page",    "Parrish", "Pembroke", "Quill",     "Radcliffe", "Ransome",   "Reeve",
    "Rowan",   "Sayer",   "Selwyn",   "Shaw",      "Stark",     "Sterling",  "Stone",
    "Talbot",  "Thorne",  "Tilney",   "Underhill", "Vale",      "Vance",     "Wainwright",
    "Ward",    "Webb",    "Whitlock", "Winter",    "Wren",      "Yardley",   "York"};
constexpr std::array<const char*, 18> kColours = {
    "red",   "blue",   "green",  "yellow",  "purple",  "orange", "white", "black", "grey",
    "brown", "silver", "golden", "scarlet", "crimson", "violet", "amber", "ivory", "pink"};
constexpr std::array<const char*, 16> kAnimals = {
    "dog",  "cat",    "horse",  "raven",    "parrot", "fox",  "owl",   "rabbit",
    "goat", "donkey", "falcon", "tortoise", "swan",   "pony", "hound", "goose"};
constexpr std::array<const char*, 30> kTowns = {
    "London",   "Paris",    "Vienna",  "Dublin",  "Bristol", "Oxford", "Lisbon",  "Madrid",
    "Rome",     "Florence", "Venice",  "Naples",  "Geneva",  "Berlin", "Dresden", "Prague",
    "Athens",   "Cairo",    "Boston",  "Chicago", "Glasgow", "York",   "Bath",    "Dover",
    "Plymouth", "Calais",   "Seville", "Antwerp", "Hamburg", "Moscow"};
constexpr std::array<const char*, 20> kTrades = {
    "doctor",  "lawyer",     "sailor",   "soldier",  "teacher", "baker",    "carpenter",
    "painter", "farmer",     "musician", "printer",  "banker",  "clerk",    "gardener",
    "tailor",  "blacksmith", "surgeon",  "merchant", "captain", "librarian"};
constexpr std::array<const char*, 20> kPlaces = {
    "cellar",    "attic", "garden", "library",  "kitchen", "stable", "chapel",
    "tower",     "well",  "pantry", "study",    "orchard", "drawer", "chimney",
    "boathouse", "barn",  "mill",   "cupboard", "hall",    "bakery"};
constexpr std::array<const char*, 20> kThings = {
    "key",      "letter", "ring",        "map",      "diary",     "watch",   "lantern",
    "portrait", "sword",  "purse",       "locket",   "compass",   "violin",  "crown",
    "will",     "medal",  "candlestick", "snuffbox", "telescope", "necklace"};
constexpr std::array<const char*, 16> kFoods = {
    "apples", "bread",   "cheese", "plums", "cherries", "honey",     "soup",   "trout",
    "mutton", "oysters", "pears",  "figs",  "porridge", "chestnuts", "ginger", "cake"};
constexpr std::array<const char*, 12> kMonths = {"January",   "February", "March",    "April",
                                                 "May",       "June",     "July",     "August",
                                                 "September", "October",  "November", "December"};

template <class List>
std::string pick(const List& list, SplitMix& random) {
  return list[random.below(list.size())];
}

std::string name(SplitMix& random) {
  const std::string first = pick(kFirstNames, random);
  return first + " " + pick(kLastNames, random);
}

// A number of so many digits, the first not 0.
std::string digits(std::uint64_t count, SplitMix& random) {
  std::uint64_t least = 1;
  for (std::uint64_t i = 1; i < count; ++i) least *= 10;
  return std::to_string(least + random.below(9 * least));
}

// Numbers.
PlantedFact numberFact(FactKind kind, const std::vector<std::string>& words, SplitMix& random) {
  if (kind == FactKind::PassKey) {
    const std::string key = digits(5, random);
    return {"The pass key is " + key + ". Remember it. " + key + " is the pass key.",
            {{"What is the pass key?", key}}};
  }
  if (kind == FactKind::MagicNumber) {
    const std::string word = pick(words, random);
    const std::string number = digits(7, random);
    return {"One of the special magic numbers for " + word + " is: " + number + ".",
            {{"What is the special magic number for " + word + "?", number}}};
  }
  const std::string who = name(random);
  if (kind == FactKind::SecretNumber) {
    constexpr std::array<std::uint64_t, 7> kCounts = {3, 4, 5, 5, 5, 6, 7};
    const std::string number = digits(kCounts[random.below(kCounts.size())], random);
    return {who + "'s secret number is " + number + ".",
            {{"What is " + who + "'s secret number?", number}}};
  }
  const std::string thing = pick(kThings, random);
  const std::string price = digits(2 + random.below(3), random) + " pounds";
  return {"The " + thing + " of " + who + " cost " + price + ".",
          {{"How much did the " + thing + " of " + who + " cost?", price}}};
}

PlantedFact animalFact(SplitMix& random) {
  const std::string who = name(random);
  const std::string animal = pick(kAnimals, random);
  const std::string called = pick(kFirstNames, random);
  return {who + " owns a " + animal + " called " + called + ".",
          {{"What is the name of " + who + "'s " + animal + "?", called},
           {"Who owns a " + animal + " called " + called + "?", who}}};
}

PlantedFact hidingFact(SplitMix& random) {
  const std::string who = name(random);
  const std::string thing = pick(kThings, random);
  const std::string place = pick(kPlaces, random);
  return {who + " hid the " + thing + " in the " + place + ".",
          {{"Where did " + who + " hide the " + thing + "?", "in the " + place},
           {"Who hid the " + thing + " in the " + place + "?", who},
           {"What did " + who + " hide in the " + place + "?", "the " + thing}}};
}

PlantedFact arrivalFact(SplitMix& random) {
  const std::string who = name(random);
  const std::string day = std::to_string(1 + random.below(28));
  const std::string date = "on the " + day + " of " + pick(kMonths, random);
  return {who + " will arrive " + date + ".",
          {{"When will " + who + " arrive?", date}, {"Who will arrive " + date + "?", who}}};
}

// One person and one word.
PlantedFact personFact(FactKind kind, const std::vector<std::string>& words, SplitMix& random) {
  const std::string who = name(random);
  if (kind == FactKind::Colour) {
    const std::string colour = pick(kColours, random);
    return {"The favourite colour of " + who + " is " + colour + ".",
            {{"What is the favourite colour of " + who + "?", colour}}};
  }
  if (kind == FactKind::Birthplace) {
    const std::string town = pick(kTowns, random);
    return {who + " was born in " + town + ".",
            {{"Where was " + who + " born?", town}, {"Who was born in " + town + "?", who}}};
  }
  if (kind == FactKind::Trade) {
    const std::string trade = pick(kTrades, random);
    return {who + " works as a " + trade + ".",
            {{"What is the profession of " + who + "?", trade},
             {"Who works as a " + trade + "?", who}}};
  }
  if (kind == FactKind::Marriage) {
    const std::string partner = name(random);
    return {who + " is secretly married to " + partner + ".",
            {{"Who is " + who + " secretly married to?", partner}}};
  }
  if (kind == FactKind::Food) {
    const std::string food = pick(kFoods, random);
    return {who + " eats nothing but " + food + " on Sundays.",
            {{"What does " + who + " eat on Sundays?", food}}};
  }
  const std::string word = pick(words, random);
  return {"The password of " + who + " is " + word + ".",
          {{"What is the password of " + who + "?", word}}};
}

}  // namespace

PlantedFact drawFact(FactKind kind, const std::vector<std::string>& words, SplitMix& random) {
  switch (kind) {
    case FactKind::PassKey:
    case FactKind::MagicNumber:
    case FactKind::SecretNumber:
    case FactKind::Price:
      return numberFact(kind, words, random);
    case FactKind::Animal:
      return animalFact(random);
    case FactKind::HidingPlace:
      return hidingFact(random);
    case FactKind::Arrival:
      return arrivalFact(random);
    default:
      return personFact(kind, words, random);
  }
}

}  // namespace ropescope
