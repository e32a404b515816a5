#include "elements.h"

#include "unnp/text.h"

#include <algorithm>
#include <string_view>

namespace unnp {

namespace {

constexpr std::string_view symbols =
    " H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb "
    "Sr "
    "Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta "
    "W "
    "Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt "
    "Ds Rg Cn Nh Fl Mc Lv Ts Og ";

} // namespace

void check_elements(const Fields& fields, const std::vector<std::string>& elements) {
  if (elements.empty())
    fields.fail("the list of elements is empty.");
  for (const auto& element : elements) {
    if (element.empty() || element.find(' ') != std::string::npos ||
        symbols.find(" " + element + " ") == std::string_view::npos)
      fields.fail("'" + printable(element) + "' is not a chemical symbol.");
    if (std::ranges::count(elements, element) > 1)
      fields.fail("the element '" + element + "' stands twice.");
  }
}

} // namespace unnp
