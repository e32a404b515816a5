#include "check.h"

#include "model_file/checksums.h"
#include "model_file/code.h"
#include "model_file/inflate.h"
#include "model_file/model_file.h"
#include "model_file/pickle.h"
#include "unnp/text.h"

#include <string>

using namespace std::string_literals;

TEST(checksums_are_those_of_the_standards) {
  CHECK(unnp::crc32("123456789") == 0xCBF43926U);
  CHECK(unnp::sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(unnp::sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(unpacks_what_deflate_packed) {
  CHECK(unnp::inflate("\x4b\x4c\x4c\x4c\x04\x00"s, 4) == "aaaa");
  CHECK(unnp::inflate("\x01\x02\x00\xfd\xff\x61\x62"s, 2) == "ab");
  for (const auto& packed :
       {"\x4b\x4c\x4c\x4c\x04\x00\x00"s, "\x4b\x4c\x4c"s, "\x07"s, ""s, "\x4b\x04\x12\x00"s})
    CHECK_ERROR(unnp::inflate(packed, 4), "cannot be unpacked");
  CHECK_ERROR(unnp::inflate("\x4b\x4c\x4c\x4c\x04\x00"s, 3), "cannot be unpacked");
}

TEST(texts_of_a_file_are_shown_on_one_line) {
  CHECK(unnp::printable("Ni\nERROR: \x1b[2J \u00e9 \xff \u202e") ==
        "Ni\\x0aERROR: \\x1b[2J \u00e9 \\xff \\xe2\\x80\\xae");
  CHECK(unnp::printable(std::string(300, 'a'), 10) == "aaaaaaaaaa...");
  CHECK(unnp::is_utf8("\u00e9") && !unnp::is_utf8("\xe9") && !unnp::is_utf8("\xed\xa0\x80") &&
        !unnp::is_utf8("\xc0\x80"));
}

TEST(walks_pickles_and_refuses_harmful_ones) {
  CHECK(unnp::check_pickle("\x80\x02)."s).arrays.empty());
  const auto refuses = [](const std::string& rest, const char* why) {
    CHECK_ERROR(unnp::check_pickle("\x80\x02"s + rest), why);
  };
  refuses("cposix\nsystem\n.", "names posix.system");
  refuses("cos\nsystem\nX\x02\x00\x00\x00lsR.", "names os.system");
  refuses("X\xff\xff\xff\x7f", "ends too early");
  refuses("", "ends too early");
  refuses("))", "ends too early");
  refuses(")).", "does not end with one value");
  refuses("h\x00."s, "does not hold");
  refuses("]q\x00(h\x00\x65."s, "cannot be filled"); // a list that contains itself
  refuses(std::string(1000, ']') + "X", "ends too early");
  std::string deep = ")";
  for (int k = 0; k < 1000; ++k)
    deep += "\x85";
  refuses(deep + ".", "nests too deeply");
}

TEST(refuses_code_that_no_export_writes) {
  const auto refuses = [](const std::string& line, const char* why) {
    unnp::CodeCheck check;
    const auto add = [&] {
      check.add("__torch__.a", "def f(x: Tensor) -> Tensor:\n  " + line + "\n  return x\n");
      check.finish();
    };
    CHECK_ERROR(add(), why);
  };
  refuses("y = torch.from_file(\"a\")", "'torch.from_file', which is not allowed");
  refuses("y = ops.aten.save(x, \"a\")", "'ops.aten.save', which is not allowed");
  refuses("y = ops.inductor._reinterpret_tensor(x)", "not allowed");
  refuses("y = torch.classes.a.B()", "not allowed");
  refuses("y = (x).save(\"a\")", "'save', which is not its own");
  refuses("_0 = x.save", "'save', which is not its own");
  refuses("y = getattr(x, \"save\")", "'save', which is not its own");
  refuses("_0 = print", "uses print");
  refuses("y = open(\"a\")", "uses open");
  refuses("import os", "uses import");
  refuses("y = evil(x)", "calls 'evil'");
  refuses("y = torch", "'torch.', which is not allowed");
  refuses("y = __torch__.b.g(x)", "'__torch__.b.g', which is not in the file");
  refuses("y = unchecked_cast(__torch__.a.A, x)", "casts an object");
  refuses("y = x[0][0]", "not written as torch does");
  refuses("y = (torch.neg)(x)", "not written as torch does");
  refuses("y = x + x", "which torch does not write");
  refuses("\n", "blank lines");
  refuses("y = " + std::string(100, '(') + "x" + std::string(100, ')'), "nest too deeply");
}

TEST(takes_code_as_torch_writes_it) {
  unnp::CodeCheck check;
  check.add("__torch__.a",
            "class A(Module):\n  __parameters__ = [\"w\", ]\n  w : Tensor\n  b : __torch__.b.B\n"
            "  def forward(self: __torch__.a.A,\n    x: Tensor) -> Tensor:\n    w = self.w\n"
            "    for _0 in range((torch.size(x))[0]):\n      _1 = torch.mul(w, -1.5e-05)\n    b = self.b\n"
            "    return (b).forward(torch.add(x, w), )\n");
  check.add("__torch__.b", "class B(Module):\n  def forward(self: __torch__.b.B, x: Tensor) -> Tensor:\n"
                           "    return ops.unnp.exchange(x, 1, 0)\n");
  check.finish();
  CHECK(check.uses_operators() && check.has_class("__torch__.a.A"));
  check.check_object("__torch__.a.A", {{"w", ""}, {"b", "__torch__.b.B"}});
  CHECK_ERROR(check.check_object("__torch__.a.A", {{"b", "__torch__.a.A"}}), "another class");
  CHECK_ERROR(check.check_object("__torch__.a.A", {{"w", "__torch__.b.B"}}), "another class");
  CHECK_ERROR(check.check_object("__torch__.a.C", {}), "no code of the class");
}

TEST(refuses_what_is_no_regular_file) {
  CHECK_ERROR(unnp::read_model_file("/dev/zero", "x"), "is a pipe or a device");
  CHECK_ERROR(unnp::read_model_file("/tmp", "x"), "is a folder");
  CHECK_ERROR(unnp::read_model_file("/no/such/file", "'x'"), "cannot open the model file 'x': No such file");
  CHECK_ERROR(unnp::check_model_file("PK\3\4", "x"), "is not a TorchScript file");
}
