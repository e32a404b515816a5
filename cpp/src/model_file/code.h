#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace unnp {

/// The code of an archive, against the lists of allowed.h.
class CodeCheck {
public:
  /// Takes one file, code/__torch__/a/b.py as "__torch__.a.b". Throws Error for what an export does not
  /// write.
  void add(const std::string& module, std::string_view code);

  /// After all files: that everything they name is there.
  void finish() const;

  /// Throws Error where the code has no such class, or an attribute of it is to be of another one.
  void check_object(const std::string& type, const std::map<std::string, std::string>& attributes) const;

  bool has_class(const std::string& name) const { return classes_.contains(name); }
  /// Names of methods and attributes that the code defines or uses.
  const std::set<std::string>& members() const { return used_; }
  bool uses_operators() const { return uses_operators_; }

private:
  class File;

  int depth_of(const std::string& name, std::map<std::string, int>& known, int above) const;

  std::set<std::string> declared_, used_;
  std::map<std::string, std::map<std::string, std::string>>
      classes_;                                             ///< class of each attribute that is an object
  std::map<std::string, std::set<std::string>> references_; ///< of each class and function
  bool uses_operators_ = false;
};

} // namespace unnp
